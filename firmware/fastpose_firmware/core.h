// What the microcontroller does with the messages: lines, their limits, the heartbeat. It knows no board: the
// sketch gives it one, the simulator of the tests another.
#pragma once
#include <stdint.h>

#include "wire.h"

namespace fastpose_wire {

// What the core needs of the board. Times are microseconds that never run back or wrap.
class Board {
  public:
    virtual ~Board() {}
    virtual uint64_t now_us() = 0;
    virtual void make_output(uint8_t pin) = 0;
    virtual void make_input(uint8_t input, uint8_t pin) = 0;  // from now on note_edge() is called
    virtual void write_digital(uint8_t pin, bool high) = 0;
    virtual void write_analogue(uint8_t pin, uint16_t level) = 0;
    virtual void send(const uint8_t* bytes, uint8_t count) = 0;
};

// Call receive() with each byte, tick() as often as possible, note_edge() from an interrupt.
class Core {
  public:
    static const uint8_t max_lines = 8, max_inputs = 4;

    explicit Core(Board& board)
        : board_(board),
          armed_(false),
          timeout_us_(0),
          heard_us_(0),
          edges_written_(0),
          edges_read_(0),
          edge_number_(0) {}

    void receive(uint8_t byte) {
        if (!reader_.take(byte)) return;
        heard_us_ = board_.now_us();
        answer(reader_);
    }

    // The heartbeat, the longest time high, and edges that wait to be told.
    void tick() {
        const uint64_t now = board_.now_us();
        if (armed_ && now - heard_us_ > timeout_us_) {
            make_safe();
            tell_gone_safe(reason_silence, 0);
        }
        for (uint8_t i = 0; i < max_lines; ++i) limit(i, now);
        while (edges_read_ != edges_written_) tell_edge();
    }

    // Safe to call in an interrupt: it only notes.
    void note_edge(uint8_t input, bool high, uint64_t time_us) {
        Edge& edge = edges_[edges_written_ % edge_room];
        if (static_cast<uint8_t>(edges_written_ - edges_read_) >= edge_room) {
            edge_number_ =
                static_cast<uint16_t>(edge_number_ + 1);  // lost, and the gap in the numbers tells it
            return;
        }
        edge.input = input;
        edge.high = high;
        edge.number = edge_number_;
        edge_number_ = static_cast<uint16_t>(edge_number_ + 1);
        edge.time_us = time_us;
        edges_written_ = static_cast<uint8_t>(edges_written_ + 1);
    }

    bool armed() const { return armed_; }

  private:
    struct Line {
        Line()
            : used(false),
              pin(0),
              flags(0),
              max_on_us(0),
              level(0),
              rose_us(0),
              cut(false),
              sequence(0),
              has_sequence(false),
              status(0),
              time_us(0) {}
        bool used;
        uint8_t pin, flags;
        uint64_t max_on_us;
        uint16_t level;
        uint64_t rose_us;
        bool cut;
        uint8_t sequence;  // of the last set, with what was answered
        bool has_sequence;
        uint8_t status;
        uint64_t time_us;
    };
    struct Edge {
        uint8_t input;
        bool high;
        uint16_t number;
        uint64_t time_us;
    };
    static const uint8_t edge_room = 32;  // a power of two

    void answer(const FrameReader& message) {
        switch (message.type()) {
            case type_hello:
                return greet(message.sequence());
            case type_setup:
                return reply(message, set_up(message), board_.now_us());
            case type_arm:
                return reply(message, arm(message), board_.now_us());
            case type_set:
                return set(message);
            case type_beat:
                return reply(message, status_ok, heard_us_);
            case type_safe:
                make_safe();
                return reply(message, status_ok, board_.now_us());
            case type_watch:
                return reply(message, watch(message), board_.now_us());
            default:
                return reply(message, status_not_understood, board_.now_us());
        }
    }

    void greet(uint8_t sequence) {
        FrameWriter frame(type_hello | type_reply, sequence);
        frame.put8(status_ok);
        frame.put64(board_.now_us());
        frame.put8(0);
        frame.put8(version);
        frame.put8(max_lines);
        frame.put8(max_inputs);
        send(frame);
    }

    uint8_t set_up(const FrameReader& message) {
        const uint8_t index = message.get8(0);
        if (index >= max_lines || message.payload_size() < 7) return status_no_such_line;
        Line& line = lines_[index];
        line = Line();
        line.used = true;
        line.pin = message.get8(1);
        line.flags = message.get8(2);
        line.max_on_us = static_cast<uint64_t>(message.get32(3)) * 1000;
        board_.make_output(line.pin);
        write(line, safe_level(line));
        return status_ok;
    }

    uint8_t arm(const FrameReader& message) {
        timeout_us_ = static_cast<uint64_t>(message.get16(0)) * 1000;
        armed_ = timeout_us_ > 0;
        return armed_ ? status_ok : status_not_understood;
    }

    uint8_t watch(const FrameReader& message) {
        if (message.get8(0) >= max_inputs || message.payload_size() < 2) return status_no_such_line;
        board_.make_input(message.get8(0), message.get8(1));
        return status_ok;
    }

    // A repeated message is answered as it was; one that was overtaken is left out.
    void set(const FrameReader& message) {
        const uint8_t index = message.get8(0);
        if (index >= max_lines || !lines_[index].used || message.payload_size() < 3)
            return reply(message, status_no_such_line, board_.now_us());
        Line& line = lines_[index];
        const int8_t ahead = static_cast<int8_t>(message.sequence() - line.sequence);
        if (line.has_sequence && ahead == 0) return reply(message, line.status, line.time_us);
        if (line.has_sequence && ahead < 0) return reply(message, status_outdated, board_.now_us());
        line.status = carry_out(line, message.get16(1));
        line.time_us = board_.now_us();
        line.sequence = message.sequence();
        line.has_sequence = true;
        reply(message, line.status, line.time_us);
    }

    uint8_t carry_out(Line& line, uint16_t level) {
        const bool safe = level == safe_level(line);
        if (!armed_ && !safe) return status_not_armed;
        if (level == 0) line.cut = false;
        if (line.cut) return status_cut;
        if (level > 0 && line.level == 0) line.rose_us = board_.now_us();
        write(line, level);
        return status_ok;
    }

    void limit(uint8_t index, uint64_t now) {
        Line& line = lines_[index];
        if (!line.used || line.level == 0 || line.max_on_us == 0 || (line.flags & line_safe_high) != 0)
            return;
        if (now - line.rose_us <= line.max_on_us) return;
        line.cut = true;
        write(line, 0);
        tell_gone_safe(reason_max_on, index);
    }

    void make_safe() {
        armed_ = false;
        for (uint8_t i = 0; i < max_lines; ++i)
            if (lines_[i].used) write(lines_[i], safe_level(lines_[i]));
    }

    static uint16_t safe_level(const Line& line) { return (line.flags & line_safe_high) != 0 ? 65535 : 0; }

    void write(Line& line, uint16_t level) {
        line.level = level;
        if ((line.flags & line_analogue) != 0)
            board_.write_analogue(line.pin, level);
        else
            board_.write_digital(line.pin, level > 0);
    }

    void reply(const FrameReader& message, uint8_t status, uint64_t time_us) {
        FrameWriter frame(static_cast<uint8_t>(message.type() | type_reply), message.sequence());
        frame.put8(status);
        frame.put64(time_us);
        frame.put8(message.get8(0));
        send(frame);
    }

    void tell_edge() {
        const Edge edge = edges_[edges_read_ % edge_room];
        edges_read_ = static_cast<uint8_t>(edges_read_ + 1);
        FrameWriter frame(type_edge, 0);
        frame.put8(edge.input);
        frame.put8(edge.high ? 1 : 0);
        frame.put16(edge.number);
        frame.put64(edge.time_us);
        send(frame);
    }

    void tell_gone_safe(uint8_t reason, uint8_t line) {
        FrameWriter frame(type_gone_safe, 0);
        frame.put8(reason);
        frame.put8(line);
        frame.put64(board_.now_us());
        send(frame);
    }

    void send(FrameWriter& frame) {
        frame.finish();
        board_.send(frame.data(), frame.size());
    }

    Board& board_;
    FrameReader reader_;
    Line lines_[max_lines];
    bool armed_;
    uint64_t timeout_us_, heard_us_;
    Edge edges_[edge_room];
    volatile uint8_t edges_written_, edges_read_;
    volatile uint16_t edge_number_;
};

}  // namespace fastpose_wire
