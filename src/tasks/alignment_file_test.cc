#include "tasks/alignment_file.h"

#include "support/close.h"
#include "support/files.h"

namespace heed {
namespace {

using testing::close;
using testing::Folder;
using testing::refused;
using testing::write_file;

// "the house" is two tokens and three, "das Haus" two.
const std::string kSource = "the house", kTarget = "das  Haus";
const std::vector<Token> kSourceTokens = {{.begin = 0, .end = 3}, {.begin = 3, .end = 6}, {.begin = 6, .end = 9}};
const std::vector<Token> kTargetTokens = {{.begin = 0, .end = 3}, {.begin = 4, .end = 9}};

std::vector<Link> links(AlignmentFile& file, int64_t line) {
  return file.links(line, {kSource, kSourceTokens}, {kTarget, kTargetTokens});
}

TEST(AlignmentFile, LinksTokensOfWords) {
  const Folder folder;
  write_file(folder / "pharaoh", "0-0 1-1\n\n1-0\t1-0 0-0\n");
  AlignmentFile file(folder / "pharaoh", AlignmentUnit::words);
  EXPECT_EQ(links(file, 1), (std::vector<Link>{{0, 0}, {1, 1}, {2, 1}}));
  EXPECT_EQ(links(file, 2), (std::vector<Link>{}));
  EXPECT_EQ(links(file, 3), (std::vector<Link>{{0, 0}, {1, 0}, {2, 0}}));
  file.check_end();
}

TEST(AlignmentFile, LinksTokens) {
  const Folder folder;
  write_file(folder / "pharaoh", "passed over\n2-1 0-0\n");
  AlignmentFile file(folder / "pharaoh", AlignmentUnit::tokens, 1);
  EXPECT_EQ(links(file, 3), (std::vector<Link>{{0, 0}, {2, 1}}));
}

TEST(AlignmentFile, RefusesWhatItCannotRead) {
  const Folder folder;
  const auto wrong = [&](const std::string& text, AlignmentUnit unit, const std::vector<std::string>& parts) {
    write_file(folder / "pharaoh", "0-0\n" + text);
    AlignmentFile file(folder / "pharaoh", unit);
    links(file, 1);
    return refused(ErrorKind::data, parts, [&] { links(file, 2), links(file, 3); });
  };
  for (const char* text : {"0", "0-", "-1-0", "0--1", "a-0", "0-0x", "0:0", "1-99999999999999999999999"})
    EXPECT_TRUE(wrong(text, AlignmentUnit::words, {"pharaoh:2", text, "no link"})) << text;
  EXPECT_TRUE(wrong("2-0\n", AlignmentUnit::words, {"pharaoh:2", "place 2 of the source", "2 words"}));
  EXPECT_TRUE(wrong("2-2\n", AlignmentUnit::tokens, {"pharaoh:2", "place 2 of the target", "2 tokens"}));
  EXPECT_TRUE(wrong("0-0\n", AlignmentUnit::words, {"pharaoh", "has 2 lines"}));
  AlignmentFile file(folder / "pharaoh", AlignmentUnit::words);
  links(file, 1);
  EXPECT_TRUE(refused(ErrorKind::data, {"pharaoh", "goes on after line 1"}, [&] { file.check_end(); }));
}

TEST(AlignmentFile, RowsSumToOne) {
  TokenRows rows;
  add_links(rows, {{0, 0}, {1, 1}, {2, 1}});
  add_links(rows, {});
  const Tensor alignment = alignment_of(rows, std::vector<int64_t>{1, 0}, 3, 4);
  const Tensor wanted = stack({zeros({3, 4}), tensor({{1, 0, 0, 0}, {0, 0.5, 0.5, 0}, {0, 0, 0, 0}}).to(Dtype::f32)});
  EXPECT_TRUE(close(alignment.values(), wanted.values(), 0));
}

}  // namespace
}  // namespace heed
