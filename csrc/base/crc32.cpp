// CRC-32 by slicing over eight tables (polynomial 0xEDB88320, reflected), about 1 byte per cycle.
#include "base/crc32.h"

#include <array>
#include <cstring>

namespace fastpose {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? 0xEDB88320U : 0U);
        tables[0][byte] = value;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t byte = 0; byte < 256; ++byte)
            tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xFFU];
    return tables;
}

constexpr Tables tables = make_tables();

std::uint32_t step8(std::uint32_t crc, const std::uint8_t* p) noexcept {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + 4, 4);
    low ^= crc;
    return tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
           tables[4][low >> 24] ^ tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF] ^
           tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24];
}

}  // namespace

std::uint32_t crc32(const void* bytes, std::size_t count) noexcept {
    const auto* p = static_cast<const std::uint8_t*>(bytes);
    std::uint32_t crc = 0xFFFFFFFFU;
    for (; count >= 8; count -= 8, p += 8) crc = step8(crc, p);
    for (; count > 0; --count, ++p) crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xFFU];
    return ~crc;
}

}  // namespace fastpose
