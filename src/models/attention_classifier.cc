// The attention classifier: what people first build with attention in Keras.   Zhou et al. 2016, ACL (Att-BLSTM)
//
//   x_j = E w_j
//   h = read(x)                    LSTM or GRU layers, in both directions where asked for, or convolutions (Kim 2014)
//   c = Σ_j a_j h_j                attention pooling (pooling.h); or the mean, the largest, the first, the last
//   y = W c + b
#include "models/choices.h"
#include "models/classifier.h"
#include "models/options.h"
#include "models/pooling.h"
#include "nn/recurrent_gates.h"

namespace heed {
namespace {

enum class Reading { lstm, gru, cnn };
constexpr Names<Reading, 3> names_of(Reading) {
  return {{{"lstm", Reading::lstm}, {"gru", Reading::gru}, {"cnn", Reading::cnn}}};
}

struct AttentionClassifierConfig {
  Count words = 0, classes = 0, width = 128, layers = 1, kernel = 3, longest = 256;
  Amount embedding = 0;
  Reading cell = Reading::lstm;
  bool bidirectional = true;
  Pool pool = Pool::attention;
  std::string attention = "pooling";
  RecurrentDropouts dropouts;

  void visit(auto&& field) {
    field("words", words, "tokens"), field("classes", classes, "labels, or numbers");
    field("width", width, "of what is read, even"), field("embedding", embedding, "width of words; 0: the same");
    field("cell", cell, "what reads: lstm, gru or cnn"), field("layers", layers, "of it");
    field("bidirectional", bidirectional, "lstm and gru: half of the width from either side");
    field("kernel", kernel, "cnn: words that are seen at once, odd");
    field("pool", pool, "how places become one: attention, mean, max, first or last");
    field("attention", attention, "that pools: a mechanism of heed mechanisms");
    field("longest", longest, "text, for mechanisms that learn something for each place");
    dropouts.visit(field);
  }
};

// relu(conv(x)), as long as x; places beyond a text count as zeros.
struct TextConvolution {
  Tensor weight, bias;  // (W,D,kernel), (W)
  TextConvolution(int64_t in, int64_t out, int64_t kernel)
      : weight(heed::weight({out, in, kernel})), bias(heed::weight({out})) {
    check(kernel > 0 && kernel % 2 == 1, "kernel", "got {}, wanted an odd number", kernel);
    initialize::he_uniform(weight);
  }
  Tensor operator()(const Tensor& x, const Tensor& lengths) const {
    const ConvolutionOptions same{.padding = {weight.dim(2) / 2, 0}};
    return relu(transpose(conv1d(transpose(without_padding(x, lengths)), weight, bias, same)));
  }
  void visit(auto&& field) { field("weight", weight), field("bias", bias); }
};

struct AttentionClassifier {
  using Config = AttentionClassifierConfig;
  static constexpr ModelWords kWords = {"attention-classifier",
                                        "Raffel & Ellis 2015, arXiv:1512.08756; Zhou et al. 2016, ACL (Att-BLSTM)",
                                        "LSTM, GRU or convolutions whose places attention gathers into one vector"};

  Config config;
  Embedding table;
  std::vector<Recurrent> recurrent;
  std::vector<TextConvolution> convolutions;
  TextPooling pooling;
  Linear out;

  explicit AttentionClassifier(const Config& c)
      : config(c),
        table(c.words, c.embedding.or_else(c.width)),
        pooling(c.width, c.pool, c.attention, c.longest),
        out(c.width, c.classes) {
    for (int64_t n = 0; n < c.layers; ++n) add_layer(n == 0 ? table.weight.dim(1) : c.width.value);
  }
  void add_layer(int64_t in) {
    if (config.cell == Reading::cnn) return void(convolutions.emplace_back(in, config.width, config.kernel));
    check(!config.bidirectional || config.width % 2 == 0, "width", "got {}, wanted an even one for two directions",
          config.width);
    const Cell cell = config.cell == Reading::lstm ? Cell::lstm : Cell::gru;
    recurrent.emplace_back(cell, in, config.bidirectional ? config.width / 2 : config.width.value,
                           config.bidirectional);
  }

  // The places of texts, and where reading ended: of two directions, each at its own end.
  struct Read {
    Tensor places, last;  // (B,S,W), (B,W)
  };
  Read convolve(Tensor x, const Tensor& lengths, const Pass& pass) const {
    for (const TextConvolution& layer : convolutions) x = layer(config.dropouts(x, pass), lengths);
    return {x, at_end(x, lengths)};
  }
  Read recur(Tensor x, const Tensor& lengths, const Pass& pass) const {
    RecurrentOutput read;
    for (size_t n = 0; n < recurrent.size(); ++n) {
      const Recurrent layer = config.dropouts.recurrence(recurrent[n], pass);
      x = config.dropouts(x, pass), read = layer(x, {.lengths = lengths});
      show_gates(pass.in("encoder", n).watch(), layer, {x, read.y});
      x = read.y;
    }
    return {transpose(x, 0, 1), concat(unstack(read.h), 1)};
  }
  Read read(const Sentences& texts, const Pass& pass) const {
    if (config.cell == Reading::cnn)
      return convolve(config.dropouts.words(table, texts.ids, pass.in("text")), texts.lengths, pass);
    return recur(config.dropouts.words_by_steps(table, texts.ids, pass.in("text")), texts.lengths, pass);
  }

  Classified forward(const Sentences& texts, const Pass& pass) const {
    Read read = this->read(texts, pass);
    read.places = pass.in("encoder").shown("hidden", read.places);
    const TextPooling::Pooled pooled =
        config.pool == Pool::last ? TextPooling::Pooled{read.last, {}} : pooling(read.places, texts.lengths, pass);
    return {out(config.dropouts(pooled.out, pass)), pooled.weights};
  }
  Tensor embedding() const { return table.weight; }

  void visit(auto&& field) {
    field("embedding", table), field("recurrent", recurrent), field("convolutions", convolutions);
    field("pooling", pooling), field("out", out);
  }
};

}  // namespace

classify::ClassifierRow classify::attention_classifier_row() { return row_of<AttentionClassifier>(); }

}  // namespace heed
