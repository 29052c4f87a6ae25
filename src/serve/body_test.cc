#include "serve/body.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>

namespace heed::serve {
namespace {

struct Inner {
  std::string role;
  void visit(auto&& field) { field("role", role, Rule{"who speaks"}.must()); }
};
struct Outer {
  std::string name = "none";
  Texts texts;
  std::optional<int64_t> count;
  std::optional<double> share;
  bool loud = false;
  Options options;
  std::vector<Inner> inner;
  void visit(auto&& field) {
    field("name", name, Rule{"a name"});
    field("texts", texts, Rule{"some"}.must());
    field("count", count, Rule{"how many"}.within(1, 9));
    field("share", share, Rule{"of all"}.within(0, 1));
    field("loud", loud, Rule{"or not"});
    field("options", options, Rule{"by name"});
    field("inner", inner, Rule{"within"});
  }
};

std::string refusal(const std::string& body) {
  try {
    read_body<Outer>(body);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
void expect_refused(const std::string& body, const std::string& because) {
  EXPECT_NE(refusal(body).find(because), std::string::npos) << body.substr(0, 80) << " said: " << refusal(body);
}

TEST(Body, FillsItsFields) {
  const auto body = read_body<Outer>(
      R"({"texts": ["a", "b"], "count": 3.0, "share": null, "loud": true, "options": {"beam": 4, "x": "y"},)"
      R"( "inner": [{"role": "user"}]})");
  EXPECT_EQ(body.texts.all, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(body.texts.several);
  EXPECT_EQ(body.count, 3);
  EXPECT_FALSE(body.share);
  EXPECT_EQ(body.name, "none");
  EXPECT_EQ(body.options, (Options{{"beam", "4"}, {"x", "y"}}));
  EXPECT_EQ(body.inner.at(0).role, "user");
  EXPECT_FALSE(read_body<Outer>(R"({"texts": "a"})").texts.several);
}

enum class Way { up, down };
constexpr std::array<std::pair<const char*, Way>, 2> names_of(Way) { return {{{"up", Way::up}, {"down", Way::down}}}; }
struct Walk {
  std::vector<Way> ways;
  void visit(auto&& field) { field("ways", ways, Rule{"one after the other"}); }
};

TEST(Body, TakesOneChoiceOrSeveral) {
  EXPECT_EQ(read_body<Walk>(R"({"ways": "down"})").ways, std::vector{Way::down});
  EXPECT_EQ(read_body<Walk>(R"({"ways": ["up", "down"]})").ways, (std::vector{Way::up, Way::down}));
  for (const char* body : {R"({"ways": "left"})", R"({"ways": ["up", 1]})", R"({"ways": ["up", "up", "up"]})"})
    EXPECT_THROW(read_body<Walk>(body), Error) << body;
  EXPECT_EQ(schema_of<Walk>()["properties"]["ways"]["anyOf"][1]["items"]["enum"], (Json{"up", "down"}));
}

TEST(Body, RefusesWhatIsNoJson) {
  for (const char* body : {"", "{", "nul", "{\"texts\": \"a\"} x", "{\"texts\": \"\xff\"}", "{\"texts\": \"\\ud800\"}",
                           "{\"texts\": NaN}", "{\"texts\": 'a'}"})
    expect_refused(body, "no JSON");
  expect_refused(R"({"texts": "a", "share": 1e999})", "beyond all");
}

TEST(Body, RefusesDepth) {
  expect_refused(std::string(100'000, '['), "nested");
  std::string objects;
  for (int n = 0; n < 100'000; ++n) objects += "{\"a\":";
  expect_refused(objects, "nested");
}

TEST(Body, RefusesWrongTypes) {
  expect_refused("[]", "wanted an object");
  expect_refused("{}", "texts: is missing");
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {R"("name": 1)", "name"},          {R"("texts": 1)", "texts"},      {R"("texts": [])", "texts"},
      {R"("texts": [1])", "texts"},      {R"("count": "3")", "count"},    {R"("count": 2.5)", "whole"},
      {R"("count": 0)", "1 or more"},    {R"("count": 10)", "9 or less"}, {R"("share": 1.5)", "1 or less"},
      {R"("loud": 1)", "true or false"}, {R"("options": [])", "options"}, {R"("options": {"a": []})", "options"},
      {R"("inner": {})", "inner"},       {R"("inner": [{}])", "role"},    {R"("inner": [1])", "inner"},
      {R"("other": 1)", "'other'"},      {R"("name": null)", "name"}};
  for (const auto& [field, because] : wrong)
    expect_refused((field.find("texts") == std::string::npos ? "{\"texts\": \"a\", " : "{") + field + "}", because);
}

TEST(Body, LongNamesAreNotRepeated) {
  EXPECT_LT(refusal("{\"" + std::string(5000, 'n') + "\": 1, \"texts\": \"a\"}").size(), 300);
}

TEST(Body, HasASchema) {
  const Json schema = schema_of<Outer>();
  EXPECT_EQ(schema["required"], Json::array({"texts"}));
  EXPECT_EQ(schema["properties"]["count"]["minimum"], 1);
  EXPECT_EQ(schema["properties"]["inner"]["items"]["required"], Json::array({"role"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema_of(Rule{""}, std::optional<Texts>())["anyOf"].back()["type"], "null");
}

}  // namespace
}  // namespace heed::serve
