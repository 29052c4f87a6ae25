// What a model's output is worth: texts beside references, labels, numbers; and how sure the figure is.
//
//   const metrics::Bleu bleu;
//   const auto segments = metrics::segment_statistics(bleu, hypotheses, references);
//   const double score = bleu.score(metrics::total(segments));                      // as sacreBLEU has it
//   const auto about = metrics::interval(metrics::resampled(segments, metrics::score_of(bleu)));   // 95 % of resamples
//
// A metric of texts gives each segment statistics that add up; the score is that of a sum. So a corpus can be drawn
// anew a thousand times without looking at its texts again.
#pragma once

#include "train/metrics/bleu.h"
#include "train/metrics/bootstrap.h"
#include "train/metrics/chrf.h"
#include "train/metrics/classification.h"
#include "train/metrics/regression.h"
#include "train/metrics/segments.h"
#include "train/metrics/ter.h"
