// As much of Arduino as the sketch uses, so that a compiler on this computer can read it.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { LOW = 0, HIGH = 1, INPUT = 0, OUTPUT = 1, CHANGE = 1 };

uint32_t micros();
void noInterrupts();
void interrupts();
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t level);
int digitalRead(uint8_t pin);
void analogWrite(uint8_t pin, int value);
int digitalPinToInterrupt(uint8_t pin);
void attachInterrupt(int interrupt, void (*handler)(), int mode);

struct SerialShim {
    void begin(unsigned long baud);
    int available();
    int read();
    size_t write(const uint8_t* bytes, size_t count);
};
extern SerialShim Serial;
