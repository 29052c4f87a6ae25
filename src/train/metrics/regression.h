// Figures of predicted numbers y' beside true ones y.
#pragma once

#include <optional>
#include <span>

namespace heed::metrics {

struct Regression {
  double mse = 0;                 // mean (y' − y)²
  double mae = 0;                 // mean |y' − y|
  std::optional<double> r2;       // 1 − Σ (y' − y)² / Σ (y − mean y)²; nothing where all y are equal
  std::optional<double> pearson;  // the correlation; nothing where all of one side are equal
};
Regression regression(std::span<const double> predicted, std::span<const double> truth);

}  // namespace heed::metrics
