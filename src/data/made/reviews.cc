// Reviews: one clause of each decides, by a word that praises or blames and perhaps a negation before it. The other
// clauses say nothing, or what others thought: words of praise and blame stand there too and do not count.
#include <fmt/format.h>

#include "data/made/made.h"

namespace heed::data {
namespace {

// {} is the place of the word.
struct Tongue {
  std::vector<const char*> praise, blame;
  std::vector<const char*> plain, negated;  // clauses that decide; «» around the words that do
  std::vector<const char*> neutral, heard;  // clauses that do not
  const char *between, *end;
};

const Tongue kEnglishTongue = {
    {"good", "great", "wonderful", "excellent", "lovely", "charming", "superb", "delightful"},
    {"bad", "awful", "terrible", "boring", "dreadful", "poor", "horrible", "disappointing"},
    {"the food was «{}»", "it was really «{}»", "I found the story «{}»", "the service is «{}»", "this «{}» film",
     "all the «{}» evening", "the room looked «{}»"},
    {"the food was «not {}»", "it was «hardly {}»", "I «never found it {}»", "the service is «anything but {}»",
     "it «was n't {}» at all", "the room looked «far from {}»"},
    {"we went there on Monday", "it lasted two hours", "the room has two windows", "my brother came along",
     "we paid at the door", "it rained all day", "they open at nine", "the second part is longer"},
    {"everybody had told us it was {}", "I had expected something {}", "the last one was {}",
     "my neighbour calls it {}", "the poster spoke of {} hours"},
    " , ",
    " ."};

const Tongue kChineseTongue = {
    {"好", "精彩", "出色", "美味", "舒服", "动人", "满意", "有趣"},
    {"差", "糟糕", "无聊", "难吃", "失望", "乏味", "吵闹", "可怕"},
    {"菜非常«{}»", "服务很«{}»", "这部电影真«{}»", "房间特别«{}»", "故事十分«{}»"},
    {"菜«并不{}»", "服务«一点也不{}»", "这部电影«谈不上{}»", "房间«绝不{}»", "故事«毫不{}»"},
    {"我们星期一去的", "一共两个小时", "房间有两扇窗", "弟弟也来了", "外面一直下雨", "九点开门", "下半场比较长"},
    {"大家都说很{}", "我本来以为会很{}", "上一次倒是{}", "邻居觉得{}", "海报上写着{}"},
    "，",
    "。"};

std::string without_marks(std::string text) {
  for (const std::string mark : {"«", "»"})
    for (size_t at; (at = text.find(mark)) != text.npos;) text.erase(at, mark.size());
  return text;
}

std::string filled(const char* clause, const char* word) { return fmt::format(fmt::runtime(clause), word); }

std::string aside(Draw& draw, const Tongue& in) {
  if (!draw.once_in(3)) return draw.one_of(in.neutral);
  return filled(draw.one_of(in.heard), draw.one_of(draw.once_in(2) ? in.praise : in.blame));
}

}  // namespace

std::vector<std::string> make_review(Draw& draw, const MadeLine& how) {
  const Tongue& in = how.language == Language::english ? kEnglishTongue : kChineseTongue;
  const bool positive = draw.once_in(2), negated = draw.once_in(3);
  const char* word = draw.one_of(positive != negated ? in.praise : in.blame);
  const std::string decides = filled(draw.one_of(negated ? in.negated : in.plain), word);
  const int64_t place = draw.below(how.length);
  std::string text;
  for (int64_t i = 0; i < how.length; ++i) text += (i > 0 ? in.between : "") + (i == place ? decides : aside(draw, in));
  text += in.end;
  std::vector<std::string> columns = {positive ? "positive" : "negative", without_marks(text)};
  if (how.marked) columns.push_back(text);
  return columns;
}

}  // namespace heed::data
