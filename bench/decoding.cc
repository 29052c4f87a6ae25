// Texts encoded and decoded by models of made numbers, whose sentences are all as long as they may be.
#include <heed/explain.h>
#include <heed/generate.h>

#include "bench/cases.h"
#include "bench/made_model.h"

namespace heed::bench {
namespace {

struct DecodingCase {
  std::string name;
  SequenceModel& model;
  int64_t words, width, sentences;
};

// A batch is bound by arithmetic. A sentence alone is bound by memory: all weights are read once for the source, those
// of the decoder and the words once a step.
void bench_search(Bench& bench, const DecodingCase& of, int64_t beam) {
  const Sentences source = made_sentences(of.sentences, of.words);
  const SearchOptions options{.beam = beam,
                              .longest = kSentenceLength,
                              .longest_factor = 0,
                              .early_stopping = EarlyStopping::never,
                              .ends = {}};
  const auto work = [&] { search(of.model, source, options); };
  ProductFlops flops = product_flops(of.model, of.words);
  flops.target += 2.0 * static_cast<double>(of.words * of.width);
  const auto tokens = static_cast<double>(of.sentences * kSentenceLength);
  Bench::Tokens rate{.count = tokens, .weights = count_of(of.model.weights())};
  if (of.sentences == 1)
    rate.bytes = 2 * (flops.source + kSentenceLength * flops.target);  // two operations are four bytes
  else
    rate.flops = tokens * (flops.source + static_cast<double>(beam) * flops.target);
  bench.model({of.name, shape_of(of.sentences, of.words), beam == 1 ? "greedy" : "beam 4", work}, rate);
}

void bench_encoder(Bench& bench, const char* name, int64_t words, std::map<std::string, std::string> fields) {
  if (!bench.wants(name)) return;
  fields["words"] = std::to_string(words), fields["classes"] = "2", fields["pool"] = "mean";
  const auto model = make_classifier("encoder-classifier", fields);
  const Sentences source = made_sentences(kSentences, words);
  const NoGrad scope;
  const double tokens = kSentences * kSentenceLength;
  bench.model(
      {name, shape_of(kSentences, words), "encode", [&] { model->forward(source); }},
      {.count = tokens, .weights = count_of(model->weights()), .flops = tokens * product_flops(*model, words).source});
}

void bench_decoder(Bench& bench, const char* name, const char* model, int64_t words, int64_t width,
                   std::map<std::string, std::string> fields) {
  const std::string alone = std::string(name) + ", alone";
  if (!bench.wants(alone)) return;
  fields["width"] = std::to_string(width);
  const auto made = made_model(model, words, fields);
  for (const int64_t beam : {1, 4}) bench_search(bench, {name, *made, words, width, kSentences}, beam);
  bench_search(bench, {alone, *made, words, width, 1}, 1);
}

// A forward pass that is recorded, beside the same one alone: all there is to see, and a head of one kind of attention.
void bench_recorded(Bench& bench, const char* name, const char* model, int64_t words,
                    const std::map<std::string, std::string>& fields) {
  if (!bench.wants(name)) return;
  const auto made = made_model(model, words, fields);
  const Sentences source = made_sentences(kSentences, words), target = made_sentences(kSentences, words, 2);
  const NoGrad scope;
  const auto recorded = [&](const Wanted& wanted) {
    return [&, wanted] {
      Recorder recorder(wanted);
      made->forward(source, target, {.watcher = &recorder});
    };
  };
  const auto alone = [&] { made->forward(source, target); };
  const std::string shape = shape_of(kSentences, words);
  bench.relative({name, shape, "everything", recorded({})}, alone);
  bench.relative({name, shape, "a head", recorded({.places = {"decoder*cross"}, .heads = {0}})}, alone);
}

}  // namespace

void run_decoding(const Options& options) {
  Bench bench(options);
  const std::map<std::string, std::string> base = {
      {"width", "512"}, {"heads", "8"}, {"layers", "6"}, {"inner", "2048"}};
  bench_encoder(bench, "transformer encoder", 32000, base);
  auto shared = base;
  shared["shared"] = "true";
  bench_decoder(bench, "transformer", "transformer", 32000, 512, shared);
  bench_decoder(bench, "bahdanau", "rnn-search", 8000, 256, {});
  bench_recorded(bench, "transformer, recorded", "transformer", 32000, shared);
  bench_recorded(bench, "bahdanau, recorded", "rnn-search", 8000, {{"width", "256"}});
}

}  // namespace heed::bench
