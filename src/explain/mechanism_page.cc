#include "explain/mechanism_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "explain/worked.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

using attention::Mechanism;
using Json = nlohmann::ordered_json;

constexpr int kTextWidth = 80;
constexpr int64_t kShown = 16;  // a learned tensor of more numbers is described

std::string in(Language language, const attention::Words& words) {
  return language == Language::english ? words.en : words.zh;
}

std::string formula_of(const Mechanism& row, Language language) {
  return language == Language::chinese && row.formula_zh ? row.formula_zh : row.formula;
}
std::string paper_of(const Mechanism& row, Language language) {
  return language == Language::chinese && row.paper_zh ? row.paper_zh : row.paper;
}

// A cost is formulas and these words.
std::string cost_of(const Mechanism& row, Language language) {
  std::string cost = row.cost;
  if (language == Language::english) return cost;
  const std::pair<const char*, const char*> words[] = {{" time for l = √S", " 时间（l = √S）"},
                                                       {" time", " 时间"},
                                                       {" memory", " 内存"},
                                                       {"a few rows of S in work", "另需若干行 S"},
                                                       {" (a tanh each)", "（每对一次 tanh）"},
                                                       {" (a σ each)", "（每对一次 σ）"},
                                                       {", ", "，"}};
  for (const auto& [en, zh] : words)
    for (size_t at = cost.find(en); at != std::string::npos; at = cost.find(en)) cost.replace(at, std::strlen(en), zh);
  return cost;
}

// ---- a page is sections of text and figures ---------------------------------------------------------------

struct Section {
  std::string title, text;
  std::vector<std::string> figure = {};
  std::string code = {};
};
struct Page {
  std::string title;
  std::vector<Section> sections;
};

std::string text_of(const WorkedExample& x, Language language) {
  std::vector<std::string> large;
  for (const auto& [name, tensor] : x.learned)
    if (tensor.numel() > kShown) large.push_back(fmt::format("{} {}", name, tensor.shape().text()));
  if (large.empty()) return "";
  return fmt::format(
      fmt::runtime(in(language, {"Besides, learned tensors drawn at random: {}.", "另有随机抽取的可学习张量：{}。"})),
      fmt::join(large, in(language, {", ", "、"})));
}

std::vector<std::string> figure_of(const WorkedExample& x, Language language) {
  std::vector<WorkedExample::Named> given = {{"Q", x.q}, {"Kᵀ", x.k.transpose(0, 1)}, {"V", x.v}};
  for (const auto& each : x.learned)
    if (each.second.numel() <= kShown && each.second.rank() <= 2) given.push_back(each);
  std::vector<std::string> lines = matrices(given);
  std::vector<WorkedExample::Named> computed = x.steps;
  computed.emplace_back(in(language, {"scores", "分数"}), x.scores);
  computed.emplace_back(in(language, {"weights", "权重"}), x.weights);
  computed.emplace_back(in(language, {"out", "输出"}), x.out);
  for (const auto& each : computed) {
    lines.emplace_back();
    for (const std::string& line : matrices({each})) lines.push_back(line);
  }
  return lines;
}

Section worked_section(const Mechanism& row, Language language) {
  const WorkedExample x = worked_example(row);
  std::string text = text_of(x, language);
  if (const attention::Words remark = row.worked().remark; remark.en)
    text = fmt::format("{}{}{}", text, text.empty() ? "" : " ", in(language, remark));
  return {in(language, {"A worked example", "算例"}), text, figure_of(x, language)};
}

Section picture_section(const Mechanism& row, Language language, Ink ink) {
  const std::vector<std::string> inks = shades(ink);
  const attention::Words legend = {
      "Sixteen positions, a row a query, a column a key; {} {} {} {} are up to a quarter, a half, "
      "three quarters and all of the row's largest weight, {} is nothing.",
      "16 个位置，每行一个查询，每列一个键；{} {} {} {} 表示至多为该行最大权重的四分之一、"
      "二分之一、四分之三和全部，{} 表示不看。"};
  const Tensor weights = pattern_example(row);
  std::string text = fmt::format(fmt::runtime(in(language, legend)), inks[1], inks[2], inks[3], inks[4], inks[0]);
  if (min(weights).item() < 0) text += in(language, {" A < stands before what is below 0.", "负权重前有 <。"});
  return {in(language, {"Who looks where", "谁看哪里"}), text, picture(weights, ink)};
}

Page page_of(const Mechanism& row, Language language, Ink ink) {
  const auto title = [&](const char* en, const char* zh) { return in(language, {en, zh}); };
  return {row.name,
          {{title("What it is for", "用途"), in(language, row.purpose)},
           {title("Formula", "公式"), "", wrapped(formula_of(row, language), kTextWidth - 2)},
           {title("Paper", "论文"), paper_of(row, language)},
           worked_section(row, language),
           picture_section(row, language, ink),
           {title("Cost", "代价"), cost_of(row, language)},
           {title("What people get wrong", "常见错误"), in(language, row.trap)},
           {title("In C++", "C++ 调用"), "", {}, row.code}}};
}

// ---- for the terminal -------------------------------------------------------------------------------------

std::string indented(const std::string& text, int by) {
  std::string lines;
  for (const std::string& line : wrapped(text, kTextWidth - by))
    lines += std::string(static_cast<size_t>(by), ' ') + line + "\n";
  return lines;
}

std::string terminal_text(const Page& page) {
  std::string text = page.title + "\n";
  for (const Section& section : page.sections) {
    text += "\n" + section.title + "\n" + indented(section.text, 2);
    for (const std::string& line : section.figure) text += line.empty() ? "\n" : "  " + line + "\n";
    text += indented(section.code, 2);
  }
  return text;
}

// ---- for docs/ --------------------------------------------------------------------------------------------

std::string file_name(const std::string& name, Language language) {
  return name + (language == Language::english ? ".md" : ".zh.md");
}

std::string other_language(const std::string& name, Language language) {
  return language == Language::english ? fmt::format("[中文]({})", file_name(name, Language::chinese))
                                       : fmt::format("[English]({})", file_name(name, Language::english));
}

std::string markdown(const Page& page, Language language) {
  std::string text =
      fmt::format("# {}\n\n{} · {}\n", page.title, other_language(page.title, language),
                  fmt::format("[{}]({})", in(language, {"all mechanisms", "全部机制"}), file_name("README", language)));
  for (const Section& section : page.sections) {
    text += fmt::format("\n## {}\n", section.title);
    if (!section.text.empty()) text += "\n" + section.text + "\n";
    if (!section.figure.empty()) text += fmt::format("\n```text\n{}\n```\n", fmt::join(section.figure, "\n"));
    if (!section.code.empty()) text += fmt::format("\n```cpp\n{};\n```\n", section.code);
  }
  return text;
}

std::string index_of(Language language) {
  std::string text = fmt::format(
      "# {}\n\n{}\n\n{}\n\n", in(language, {"Mechanisms", "注意力机制"}), other_language("README", language),
      in(language,
         {"Made by `make docs` from the rows of the table in `src/attention/`, as `heed mechanisms` prints them.",
          "由 `make docs` 根据 `src/attention/` 中的表生成，与 `heed mechanisms --lang zh` 的输出相同。"}));
  for (const Mechanism& row : attention::mechanisms())
    text += fmt::format(fmt::runtime(in(language, {"- [{}]({}) ({}): `{}`. {}\n", "- [{}]({})（{}）：`{}`。{}\n"})),
                        row.name, file_name(row.name, language), row.year, formula_of(row, language),
                        in(language, row.purpose));
  return text;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  check_system(file.good(), "mechanisms", "cannot write {}", path);
}

// ---- for machines -----------------------------------------------------------------------------------------

Json number_of(double x) {
  if (std::isfinite(x)) return x;
  return x > 0 ? "inf" : "-inf";  // JSON has no number for it
}

Json json_of(const Tensor& x) {
  if (x.rank() == 0) return number_of(x.values()[0]);
  Json rows = Json::array();
  for (int64_t i = 0; i < x.dim(0); ++i) rows.push_back(json_of(x[i]));
  return rows;
}

Json json_of(const Mechanism& row, Language language) {
  Json json = {{"name", row.name},
               {"year", row.year},
               {"paper", paper_of(row, language)},
               {"formula", formula_of(row, language)}};
  json["cost"] = cost_of(row, language);
  json["purpose"] = in(language, row.purpose), json["trap"] = in(language, row.trap);
  json["code"] = row.code, json["learned"] = Json::array();
  for (const attention::Learned& each : row.learned) json["learned"].push_back(each.name);
  return json;
}

Json json_of(const WorkedExample& x) {
  Json json = {{"q", json_of(x.q)}, {"k", json_of(x.k)}, {"v", json_of(x.v)}};
  json["learned"] = json["steps"] = Json::object();
  for (const auto& [name, tensor] : x.learned) json["learned"][name] = json_of(tensor);
  for (const auto& [name, tensor] : x.steps) json["steps"][name] = json_of(tensor);
  json["scores"] = json_of(x.scores), json["weights"] = json_of(x.weights), json["out"] = json_of(x.out);
  return json;
}

}  // namespace

std::string mechanism_table(Language language) {
  constexpr int kName = 20, kYear = 6;
  std::string text;
  for (const Mechanism& row : attention::mechanisms()) {
    std::string lines;
    for (const std::string& said : {formula_of(row, language), cost_of(row, language), in(language, row.purpose)})
      lines += indented(said, kName + kYear);
    text += fmt::format("{:<{}}{:<{}}", row.name, kName, row.year, kYear) + lines.substr(kName + kYear);
  }
  return text;
}

std::string mechanism_text(const Mechanism& row, Language language, Ink ink) {
  return terminal_text(page_of(row, language, ink));
}

std::string mechanism_table_json(Language language) {
  Json json = Json::array();
  for (const Mechanism& row : attention::mechanisms()) json.push_back(json_of(row, language));
  return json.dump(2) + "\n";
}

std::string mechanism_json(const Mechanism& row, Language language) {
  Json json = json_of(row, language);
  json["example"] = json_of(worked_example(row)), json["pattern"] = json_of(pattern_example(row));
  return json.dump(2) + "\n";
}

void write_mechanism_pages(const std::string& folder) {
  for (const Language language : {Language::english, Language::chinese}) {
    write(folder + "/" + file_name("README", language), index_of(language));
    for (const Mechanism& row : attention::mechanisms())
      write(folder + "/" + file_name(row.name, language), markdown(page_of(row, language, Ink::blocks), language));
  }
}

}  // namespace heed::explain
