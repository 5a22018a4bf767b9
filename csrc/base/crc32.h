// zlib's CRC-32, so that a reader in any language can check a record.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fastpose {

[[nodiscard]] std::uint32_t crc32(const void* bytes, std::size_t count) noexcept;

}  // namespace fastpose
