#include "explain/methods.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/check.h"
#include "explain/rollout.h"

namespace heed::explain {
namespace {

std::optional<size_t> number_in(const std::string& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// "decoder.2.cross" without its number.
std::string kind_of(std::string place) {
  std::erase_if(place, [](char c) { return c >= '0' && c <= '9'; });
  return place;
}

Tensor rows_of_parts(const Tensor& weights, Sides::Rows rows, int64_t parts) {
  switch (rows) {
    case Sides::Rows::first: return slice(weights, 0, 0, parts);
    case Sides::Rows::last: return slice(weights, 0, weights.dim(0) - parts, weights.dim(0));
    case Sides::Rows::all: break;
  }
  return mean(weights, {0}, true);
}

// Keys that are no words stand in front of them.
Tensor at_words(const Tensor& weights, const Look& look) {
  return slice(weights, 1, weights.dim(1) - look.question.count, weights.dim(1));
}

void check_attention(const Look& look, const char* method) {
  check(!look.place.empty(), "method", "{} needs attention to these words, of which this model has none", method);
}

Measured attention(const Look& look) {
  check_attention(look, "attention");
  const Tensor weights = look.recorder.weights(look.place)[0];
  const std::string which =
      look.head == -1 ? fmt::format("mean of {}", weights.dim(0)) : fmt::format("head {}", look.head);
  const Tensor matrix = chosen_head(weights, look.head, look.place)[0];
  return {fmt::format("attention, {}, {}", look.place, which),
          at_words(rows_of_parts(matrix, look.sides(look.place).rows, look.parts), look)};
}

// The layers in which words look at each other, from the first up to the chosen place; what looks at the last of them
// from another text stands on top.
struct Graph {
  std::vector<Tensor> layers;  // (H,S,S)
  Tensor top;                  // (H,T,S)
  Sides::Rows rows = Sides::Rows::last;
};
Graph graph_of(const Look& look, const char* method) {
  check_attention(look, method);
  Graph graph;
  const Sides chosen = look.sides(look.place);
  graph.rows = chosen.rows;
  for (const std::string& place : look.recorder.attentions()) {
    const Sides sides = look.sides(place);
    if (sides.keys != look.words || sides.queries != look.words) continue;
    graph.layers.push_back(look.recorder.weights(place)[0]);
    check(graph.layers.back().dim(1) == graph.layers.back().dim(2), "method",
          "{} wants words that look at themselves, but {} queries look at {} keys in {}", method,
          graph.layers.back().dim(1), graph.layers.back().dim(2), place);
    if (place == look.place) break;
  }
  check(!graph.layers.empty(), "method",
        "{} follows words that look at each other from layer to layer; in this model they meet in other ways, as in "
        "recurrent or convolutional layers, where there are no weights to follow",
        method);
  if (chosen.queries != look.words)
    graph.top = chosen_head(look.recorder.weights(look.place)[0], look.head, look.place);
  return graph;
}

Measured followed(const Look& look, const char* method, Tensor (*within)(const std::vector<Tensor>& layers),
                  Tensor (*from)(const Tensor& top, const std::vector<Tensor>& layers)) {
  const Graph graph = graph_of(look, method);
  const Tensor through = graph.top.defined() ? from(graph.top, graph.layers) : within(graph.layers);
  return {fmt::format("{}, up to {}", method, look.place),
          at_words(rows_of_parts(through, graph.rows, look.parts), look).to(Dtype::f32)};
}

Measured integrated(const Look& look) {
  const Integrated all = integrated_gradients(look.question);
  return {"integrated gradients", all.scores, all.completeness_error};
}

}  // namespace

std::string chosen_place(const std::vector<std::string>& places, const std::string& layer) {
  if (places.empty()) {
    check(layer.empty(), "layer", "there is no layer {}: this model has no attention to these words", layer);
    return "";
  }
  if (layer.empty()) return places.back();
  if (std::find(places.begin(), places.end(), layer) != places.end()) return layer;
  // A number counts those of the last one's kind.
  std::vector<std::string> alike;
  std::copy_if(places.begin(), places.end(), std::back_inserter(alike),
               [&](const std::string& place) { return kind_of(place) == kind_of(places.back()); });
  const auto number = number_in(layer);
  check(number && *number < alike.size(), "layer",
        "there is no {} that looks at these words, only {}; or 0 to {} for {}", layer, fmt::join(places, ", "),
        alike.size() - 1, fmt::join(alike, ", "));
  return alike[*number];
}

Tensor chosen_head(const Tensor& weights, int64_t head, const std::string& place) {
  if (head == -1) return mean(weights, {0}, true);
  check(head >= 0 && head < weights.dim(0), "head", "there is no head {} in {}, which has {}, counted from 0", head,
        place, weights.dim(0));
  return slice(weights, 0, head, head + 1);
}

Measured measured(Saliency method, const Look& look) {
  switch (method) {
    case Saliency::attention: return attention(look);
    case Saliency::rollout: return followed(look, "rollout", attention_rollout, rollout_from);
    case Saliency::flow: return followed(look, "flow", attention_flow, flow_from);
    case Saliency::gradient_attention:
      check_attention(look, "gradient_attention");
      return {fmt::format("gradients × attention, {}", look.place),
              gradient_times_attention(look.question, look.place)};
    case Saliency::gradients: return {"gradients", input_gradients(look.question)};
    case Saliency::input_gradients: return {"gradients × input", gradient_times_input(look.question)};
    case Saliency::integrated: return integrated(look);
    case Saliency::occlusion: break;
  }
  return {"occlusion", occlusion(look.question)};
}

}  // namespace heed::explain
