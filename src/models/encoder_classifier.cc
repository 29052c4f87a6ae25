// The encoder classifier: the Transformer's encoder, and one vector of what it gives.
//                                                        Vaswani et al. 2017, arXiv:1706.03762
//   x ← encoder(√D·E w)            (transformer_layers.h)
//   c = pool(x)                    a learned word that stands in front (first), as BERT's (Devlin et al. 2019,
//                                  arXiv:1810.04805); attention pooling; the mean, the largest, the last
//   y = W c + b
#include "models/classifier.h"
#include "models/pooling.h"
#include "models/transformer_layers.h"

namespace heed {
namespace {

struct EncoderClassifierConfig : LayerConfig {
  Count words = 0, classes = 0, layers = 2;
  Pool pool = Pool::attention;
  std::string pooled_by = "pooling";

  void visit(auto&& field) {
    field("words", words, "tokens"), field("classes", classes, "labels, or numbers");
    field("layers", layers, "of the encoder"), LayerConfig::visit(field);
    field("pool", pool, "how places become one: attention, mean, max, first (a learned word in front) or last");
    field("pooled_by", pooled_by, "the mechanism of heed mechanisms that pools by attention");
  }
};

// Places of a text with one more in front.
LayerConfig with_front(LayerConfig c, Pool pool) {
  c.longest.value += pool == Pool::first;
  return c;
}

struct EncoderClassifier {
  using Config = EncoderClassifierConfig;
  static constexpr ModelWords kWords = {"encoder-classifier", "Vaswani et al. 2017, arXiv:1706.03762",
                                        "the Transformer's encoder, pooled into one vector"};

  Config config;
  PlacedEmbedding text;
  Tensor front;  // (W)
  std::vector<EncoderLayer> encoder;
  LastNorm after_encoder;
  TextPooling pooling;
  Linear out;

  explicit EncoderClassifier(const Config& c)
      : config(c),
        text(c.words, c),
        after_encoder(c),
        pooling(c.width, c.pool, c.pooled_by, c.longest),
        out(c.width, c.classes) {
    for (int64_t n = 0; n < c.layers; ++n) encoder.emplace_back(with_front(c, c.pool));
    if (c.pool == Pool::first) initialize::normal(front = weight({c.width}), 0, 1);
  }

  Classified forward(const Sentences& texts, const Pass& pass) const {
    Tensor x = text(texts.ids, {}, pass.in("text")), lengths = texts.lengths;
    if (front.defined()) {
      x = concat({expand(reshape(front, {1, 1, config.width}), {x.dim(0), 1, config.width}), x}, 1);
      lengths = moved(lengths, 1);
    }
    for (size_t n = 0; n < encoder.size(); ++n) x = encoder[n](x, lengths, pass.in("encoder", n));
    const TextPooling::Pooled pooled = pooling(after_encoder(x), lengths, pass);
    return {out(dropped(pooled.out, config.dropout, pass)), pooled.weights};
  }
  Tensor embedding() const { return text.words.weight; }

  void visit(auto&& field) {
    field("text", text);
    if (front.defined()) field("front", front);
    field("encoder", encoder), field("after_encoder", after_encoder), field("pooling", pooling), field("out", out);
  }
};

}  // namespace

classify::ClassifierRow classify::encoder_classifier_row() { return row_of<EncoderClassifier>(); }

}  // namespace heed
