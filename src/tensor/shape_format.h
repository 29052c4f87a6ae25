// Shapes in messages: "{}" of a Shape is its text, made where the message is.
#pragma once

#include <fmt/format.h>
#include <heed/tensor.h>

template <>
struct fmt::formatter<heed::Shape> : fmt::formatter<std::string> {
  auto format(const heed::Shape& shape, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(shape.text(), context);
  }
};
