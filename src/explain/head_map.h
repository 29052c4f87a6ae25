// Heads by layers: what each of them does, as numbers and as a small map.
#pragma once

#include <heed/explain.h>

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "explain/heat_map.h"
#include "explain/picture.h"
#include "explain/seen.h"

namespace heed::explain {

enum class HeadMeasure { entropy, distance, importance };
constexpr std::array<std::pair<const char*, HeadMeasure>, 3> names_of(HeadMeasure) {
  return {{{"entropy", HeadMeasure::entropy},
           {"distance", HeadMeasure::distance},
           {"importance", HeadMeasure::importance}}};
}

// A row a layer; layers may have different numbers of heads.
struct HeadMap {
  HeadMeasure measure = HeadMeasure::entropy;
  std::vector<std::string> layers;
  std::vector<std::vector<double>> heads;
  int64_t answers = 1;  // that the numbers are means of
  std::string of = "";  // the run, where there are several
};
HeadMap head_map(const Seen& seen, HeadMeasure measure);  // of layers where it was measured
// By each measure, means over what is asked. Error(usage) where nothing is, or the model has no attention.
std::vector<HeadMap> head_maps(std::span<const Question> questions);

// What a text's look at itself is like, of each head; empty where one text looks at another.
std::vector<HeadKind> kinds_of(const Seen& seen, const SeenAttention& attention);
// "encoder.0.self: 0 diagonal 0.62, 1 previous token 0.40"
std::string kinds_text(const Seen& seen, const SeenAttention& attention);

// Shades beside the largest of all; < in front of what is below 0.
std::vector<std::string> lines_of(const HeadMap& map, Ink ink, int most = 80);
HeatMap heat_map_of(const HeadMap& map);  // NaN where a layer has no such head

}  // namespace heed::explain
