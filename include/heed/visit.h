// A struct names its fields once, and everything else follows: parameters, saving, loading, printing, flags.
//
//   struct Linear {
//     heed::Tensor weight, bias;
//     void visit(auto&& field) { field("weight", weight); field("bias", bias); }
//   };
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace heed {

struct AnyField {
  template <class... Args>
  void operator()(Args&&...) const {}
};

template <class T>
concept Visitable = requires(T& object, AnyField any) {
  object.visit(any);
};

// Calls leaf(path, value) for each field that is no visitable struct itself, with the path of names that leads to it:
// "encoder.0.attention.query.weight". Vectors count their elements.
template <class T, class Leaf>
void visit_leaves(T& object, const std::string& path, Leaf&& leaf) {
  const auto join = [&](const std::string& name) { return path.empty() ? name : path + "." + name; };
  if constexpr (Visitable<T>) {
    object.visit([&](const char* name, auto& value, auto&&...) { visit_leaves(value, join(name), leaf); });
  } else if constexpr (requires {
                         typename T::value_type;
                         object.at(0);
                       } &&
                       !std::is_same_v<T, std::string>) {
    for (size_t i = 0; i < object.size(); ++i) visit_leaves(object[i], join(std::to_string(i)), leaf);
  } else {
    leaf(path, object);
  }
}

}  // namespace heed
