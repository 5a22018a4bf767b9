// The fastpose sketch for Arduino and Teensy boards: output lines that go safe by themselves when the host is
// silent, and inputs whose edges are stamped. Which pins are lines is said by the config of the host.
// Open this folder with the Arduino IDE, choose the board, upload. docs/reference/firmware.md tells more.
#include <Arduino.h>

#include "core.h"

// A board with native USB (Teensy, Leonardo, Zero, Due, Pico) does not care; others need that of the config.
#ifndef FASTPOSE_BAUD
#define FASTPOSE_BAUD 115200
#endif

namespace {

// micros() wraps after 71 minutes; this does not, as long as it is called at least that often.
uint64_t clock_in_interrupt() {
    static uint32_t last = 0, wraps = 0;
    const uint32_t now = micros();
    if (now < last) ++wraps;
    last = now;
    return (static_cast<uint64_t>(wraps) << 32) | now;
}

uint64_t clock_us() {
    noInterrupts();
    const uint64_t time = clock_in_interrupt();
    interrupts();
    return time;
}

template <uint8_t input>
void on_edge();

class ArduinoBoard : public fastpose_wire::Board {
  public:
    uint8_t input_pin[fastpose_wire::Core::max_inputs];

    uint64_t now_us() { return clock_us(); }
    void make_output(uint8_t pin) { pinMode(pin, OUTPUT); }
    void make_input(uint8_t input, uint8_t pin) {
        static void (*const handlers[])() = {on_edge<0>, on_edge<1>, on_edge<2>, on_edge<3>};
        input_pin[input] = pin;
        pinMode(pin, INPUT);
        attachInterrupt(digitalPinToInterrupt(pin), handlers[input], CHANGE);
    }
    void write_digital(uint8_t pin, bool high) { digitalWrite(pin, high ? HIGH : LOW); }
    void write_analogue(uint8_t pin, uint16_t level) { analogWrite(pin, level >> 8); }  // 8 bits by default
    void send(const uint8_t* bytes, uint8_t count) { Serial.write(bytes, count); }
};

ArduinoBoard board;
fastpose_wire::Core core(board);

template <uint8_t input>
void on_edge() {
    core.note_edge(input, digitalRead(board.input_pin[input]) == HIGH, clock_in_interrupt());
}

}  // namespace

void setup() { Serial.begin(FASTPOSE_BAUD); }

void loop() {
    while (Serial.available() > 0) core.receive(static_cast<uint8_t>(Serial.read()));
    core.tick();
}
