// Numbers in words, 0 to 999,999,999,999.
#pragma once

#include <cstdint>
#include <string>

namespace heed::data {

enum class And { said, left_out };  // one hundred and five, one hundred five
std::string english(int64_t number, And style = And::said);
std::string english_ordinal(int64_t number);  // third; 1 to 99
std::string ordinal_digits(int64_t number);   // 3rd

enum class Two { plain, counting };  // 二百, 两百
std::string chinese(int64_t number, Two style = Two::plain);
enum class Zero { circle, word };  // 二〇〇四, 二零零四
std::string chinese_digits(int64_t number, Zero style);
std::string full_width(int64_t number);  // ２００４

}  // namespace heed::data
