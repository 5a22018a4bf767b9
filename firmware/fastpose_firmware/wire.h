// The byte protocol between fastpose and a microcontroller: frames, checksums, and what the messages hold.
// docs/reference/firmware.md describes it. Plain C++11 without a library: the sketch, the driver on the host
// and the simulator all read this file.
#pragma once
#include <stdint.h>

namespace fastpose_wire {

static const uint8_t version = 1;
static const uint8_t max_payload = 24;                   // of a message, without type, sequence and checksum
static const uint8_t max_message = 2 + max_payload + 2;  // type, sequence, payload, checksum
static const uint8_t max_frame = max_message + 2;        // one byte of overhead, one that ends it

// From the host. Each is answered by a reply with the same sequence: those of type_set count the sets of
// their line, modulo 256; the others are up to the host.
enum Type {
    type_hello = 1,  // nothing
    type_setup = 2,  // line u8, pin u8, flags u8 (LineFlag), max_on_ms u32 (0: no limit)
    type_arm = 3,    // timeout_ms u16: lines go safe when nothing is heard for so long
    type_set = 4,    // line u8, level u16: 0 low, 65535 high, between them the share of an analogue line
    type_beat = 5,   // nothing: I am here
    type_safe = 6,   // nothing: lines go safe and stay so until the next arm
    type_watch = 7,  // input u8, pin u8: from now on its edges are told
    // From the device.
    type_reply = 0x80,  // added to the type: status u8, time_us u64 (set: of the edge; beat: when it came),
                        // the first byte of what is answered u8; to hello also version, lines, inputs u8
    type_edge = 0xC0,   // input u8, level u8, number u16 (counts all edges), time_us u64
    type_gone_safe = 0xC1,  // reason u8 (Reason), line u8, time_us u64
};

enum LineFlag { line_safe_high = 1, line_analogue = 2 };

enum Status {
    status_ok = 0,
    status_not_armed = 1,
    status_no_such_line = 2,
    status_not_understood = 3,
    status_outdated = 4,  // a later set of this line was carried out already
    status_cut = 5,       // high longer than max_on_ms: low until it is set low
};

enum Reason { reason_silence = 1, reason_max_on = 2 };

// CRC-16/CCITT-FALSE: polynomial 0x1021, from 0xFFFF, nothing reflected.
inline uint16_t crc16(const uint8_t* bytes, uint8_t count) {
    uint16_t crc = 0xFFFF;
    for (uint8_t i = 0; i < count; ++i) {
        crc = static_cast<uint16_t>(crc ^ (static_cast<uint16_t>(bytes[i]) << 8));
        for (uint8_t bit = 0; bit < 8; ++bit)
            crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

// A message being written, and the frame that it becomes: consistent overhead byte stuffing (Cheshire and
// Baker 1999), so that a zero byte only ever ends a frame. Numbers are little-endian.
class FrameWriter {
  public:
    FrameWriter(uint8_t type, uint8_t sequence) : size_(0), frame_size_(0) {
        put8(type);
        put8(sequence);
    }
    void put8(uint8_t value) {
        if (size_ < max_message - 2) message_[size_++] = value;
    }
    void put16(uint16_t value) { put(value, 2); }
    void put32(uint32_t value) { put(value, 4); }
    void put64(uint64_t value) { put(value, 8); }

    // Once, when all is put.
    void finish() {
        const uint16_t crc = crc16(message_, size_);
        message_[size_++] = static_cast<uint8_t>(crc & 0xFF);
        message_[size_++] = static_cast<uint8_t>(crc >> 8);
        stuff();
    }
    const uint8_t* data() const { return frame_; }
    uint8_t size() const { return frame_size_; }

  private:
    void put(uint64_t value, uint8_t bytes) {
        for (uint8_t i = 0; i < bytes; ++i) put8(static_cast<uint8_t>(value >> (8 * i)));
    }
    void stuff() {
        uint8_t code_at = 0, code = 1, out = 1;
        for (uint8_t i = 0; i < size_; ++i) {
            if (message_[i] != 0) {
                frame_[out++] = message_[i];
                ++code;
                continue;
            }
            frame_[code_at] = code;
            code_at = out++;
            code = 1;
        }
        frame_[code_at] = code;
        frame_[out++] = 0;
        frame_size_ = out;
    }

    uint8_t message_[max_message], frame_[max_frame];
    uint8_t size_, frame_size_;
};

// Takes bytes as they come; what is damaged is left out, and the next zero byte begins anew.
class FrameReader {
  public:
    FrameReader() : held_(0), size_(0), overlong_(false), damaged_(0) {}

    // True when this byte completed a whole message, which is there until the next byte.
    bool take(uint8_t byte) {
        if (byte != 0) {
            if (held_ < max_frame)
                frame_[held_++] = byte;
            else
                overlong_ = true;
            return false;
        }
        const bool whole = held_ > 0 && !overlong_ && unstuff();
        if (held_ > 0 && !whole) ++damaged_;
        held_ = 0;
        overlong_ = false;
        return whole;
    }

    uint8_t type() const { return message_[0]; }
    uint8_t sequence() const { return message_[1]; }
    uint8_t payload_size() const { return static_cast<uint8_t>(size_ - 2); }
    uint8_t get8(uint8_t at) const { return static_cast<uint8_t>(get(at, 1)); }
    uint16_t get16(uint8_t at) const { return static_cast<uint16_t>(get(at, 2)); }
    uint32_t get32(uint8_t at) const { return static_cast<uint32_t>(get(at, 4)); }
    uint64_t get64(uint8_t at) const { return get(at, 8); }
    uint32_t damaged() const { return damaged_; }  // frames

  private:
    // A number of the payload; 0 where the payload ends before it.
    uint64_t get(uint8_t at, uint8_t bytes) const {
        uint64_t value = 0;
        if (at + bytes > payload_size()) return 0;
        for (uint8_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(message_[2 + at + i]) << (8 * i);
        return value;
    }
    bool unstuff() {
        uint8_t out = 0, at = 0;
        while (at < held_) {
            const uint8_t code = frame_[at++];
            if (at + code - 1 > held_ || out + code > max_message + 1) return false;
            for (uint8_t i = 1; i < code; ++i) message_[out++] = frame_[at++];
            if (at < held_) message_[out++] = 0;
        }
        if (out < 4) return false;
        size_ = static_cast<uint8_t>(out - 2);
        const uint16_t crc = static_cast<uint16_t>(message_[size_] | message_[size_ + 1] << 8);
        return crc == crc16(message_, size_);
    }

    uint8_t frame_[max_frame], message_[max_message + 2];
    uint8_t held_, size_;
    bool overlong_;
    uint32_t damaged_;
};

}  // namespace fastpose_wire
