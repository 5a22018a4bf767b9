// Whether a message says all that it should.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace fastpose::testing {

inline ::testing::AssertionResult says(const std::string& text, std::initializer_list<const char*> parts) {
    for (const char* part : parts)
        if (text.find(part) == std::string::npos)
            return ::testing::AssertionFailure() << "no '" << part << "' in: " << text;
    return ::testing::AssertionSuccess();
}

}  // namespace fastpose::testing
