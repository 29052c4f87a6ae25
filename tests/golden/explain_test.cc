// What there is to measure of a model at work, against NumPy, PyTorch, Captum, Hugging Face's code, networkx and SciPy:
// golden/make_explain.py.
#include <heed/explain.h>

#include <fstream>

#include "explain/rollout.h"
#include "models/hugging_face/hugging_face.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

const TensorFile& golden() {
  static const TensorFile file = load_npz(HEED_GOLDEN "/explain.npz");
  return file;
}
::testing::AssertionResult agrees(const Tensor& got, const std::string& name, double tolerance = 1e-5) {
  if (got.shape() != golden()[name].shape())
    return ::testing::AssertionFailure() << got.shape() << ", wanted " << golden()[name].shape();
  return close(got.values(), golden()[name].values(), tolerance);
}
::testing::AssertionResult agrees(const std::vector<double>& got, const std::string& name, double tolerance = 1e-5) {
  return close(got, golden()[name].values(), tolerance);
}

TEST(Explain, EntropyAndDistance) {
  EXPECT_TRUE(agrees(head_entropy(golden()["heads/weights"]), "heads/entropy"));
  EXPECT_TRUE(agrees(head_distance(golden()["heads/weights"]), "heads/distance"));
}

TEST(Explain, RolloutAndFlow) {
  std::vector<Tensor> layers;
  for (int64_t l = 0; l < 3; ++l) layers.push_back(golden()["rollout/layers"][l]);
  EXPECT_TRUE(agrees(attention_rollout(layers), "rollout/rollout", 1e-12));
  EXPECT_TRUE(agrees(attention_flow(layers), "rollout/flow", 1e-9));
  const Tensor& top = golden()["rollout/top"];
  EXPECT_TRUE(agrees(explain::rollout_from(top, layers), "rollout/rollout_from_top", 1e-12));
  EXPECT_TRUE(agrees(explain::flow_from(top, layers), "rollout/flow_from_top", 1e-9));
  EXPECT_TRUE(complains([&] { explain::flow_from(layers[0][0], layers); }, {"rollout", "(heads, T, 5)"}));
}

TEST(Explain, KendallsTau) {
  EXPECT_NEAR(kendall_tau(golden()["kendall/a"], golden()["kendall/b"]), golden()["kendall/tau"].item(), 1e-12);
}

class ExplainModel : public ::testing::Test {
 protected:
  static std::unique_ptr<SequenceModel> made() {
    const std::string folder = HEED_GOLDEN "/hugging_face/gpt2";
    std::ifstream config(folder + "/config.json");
    return hugging_face::read("gpt2", {nlohmann::json::parse(config), load_safetensors(folder + "/model.safetensors")});
  }
  static Question asked(const SequenceModel& model) {
    std::vector<int32_t> ids;
    for (const double id : golden()["model/ids"].values()) ids.push_back(static_cast<int32_t>(id));
    return ask(model, ids, static_cast<int64_t>(golden()["model/first"].item()));
  }
  const std::unique_ptr<SequenceModel> model = made();
  const Question question = asked(*model);
};

TEST_F(ExplainModel, Attention) {
  const NoGrad scope;
  Recorder recorder;
  EXPECT_TRUE(agrees(question.answer(1, recorder)[0], "model/answer"));
  EXPECT_TRUE(agrees(recorder.weights("decoder.0.self"), "model/attention0"));
  EXPECT_TRUE(agrees(recorder.weights("decoder.1.self"), "model/attention1"));
}

TEST_F(ExplainModel, Gradients) {
  EXPECT_TRUE(agrees(input_gradients(question), "model/gradients"));
  EXPECT_TRUE(agrees(gradient_times_input(question), "model/input_gradients"));
}

TEST_F(ExplainModel, IntegratedGradients) {
  const Integrated got = integrated_gradients(question);
  EXPECT_TRUE(agrees(got.scores, "model/integrated"));
  EXPECT_NEAR(got.completeness_error, golden()["model/completeness_error"].item(), 1e-5);
  EXPECT_LT(integrated_gradients(question, 500).completeness_error, got.completeness_error / 4);
}

TEST_F(ExplainModel, Occlusion) { EXPECT_TRUE(agrees(occlusion(question), "model/occlusion")); }

TEST_F(ExplainModel, GradientTimesAttention) {
  EXPECT_TRUE(agrees(gradient_times_attention(question, "decoder.0.self"), "model/gradient_attention0"));
  EXPECT_TRUE(agrees(gradient_times_attention(question, "decoder.1.self"), "model/gradient_attention1"));
}

TEST_F(ExplainModel, Areas) {
  const Faithfulness got = faithfulness(question, golden()["areas/scores"]);
  EXPECT_TRUE(agrees(got.removed, "areas/removed"));
  EXPECT_TRUE(agrees(got.kept, "areas/kept"));
  EXPECT_NEAR(got.comprehensiveness, golden()["areas/comprehensiveness"].item(), 1e-6);
  EXPECT_NEAR(got.sufficiency, golden()["areas/sufficiency"].item(), 1e-6);
}

TEST_F(ExplainModel, HeadsSwitchedOff) {
  std::vector<double> lost;
  for (const HeadImportance& each : head_importance(question))
    lost.insert(lost.end(), each.lost.begin(), each.lost.end());
  EXPECT_TRUE(agrees(lost, "model/lost"));
}

TEST_F(ExplainModel, OtherWeights) {
  std::vector<double> uniform;
  for (const Counterfactual& each : counterfactuals(question)) {
    uniform.push_back(each.uniform);
    EXPECT_NEAR(each.as_it_was, golden()["areas/removed"].value({0}), 1e-6);
    EXPECT_NE(each.shuffled, each.as_it_was) << each.place;
  }
  EXPECT_TRUE(agrees(uniform, "model/uniform"));
}

TEST_F(ExplainModel, Contrast) {
  const std::vector<int32_t> why = {2, 7, 5, 9}, not_that = {2, 7, 5, 4};
  const Question a = ask(*model, why, 3), b = ask(*model, not_that, 3);
  EXPECT_TRUE(close(gradient_times_input(contrast(a, b)).values(),
                    (gradient_times_input(a) - gradient_times_input(b)).values(), 1e-5));
  EXPECT_TRUE(complains([&] { contrast(a, question); }, {"contrast", "3", "6"}));
}

std::vector<Link> links_in(const std::string& name) {
  const Tensor& rows = golden()[name];
  std::vector<Link> links;
  for (int64_t n = 0; n < rows.dim(0); ++n) links.push_back({rows.at<int64_t>({n, 0}), rows.at<int64_t>({n, 1})});
  return links;
}

TEST(Explain, Links) {
  const std::vector<Link> a = links_in("links/a"), b = links_in("links/b");
  EXPECT_EQ(symmetrized(a, b, Symmetry::intersection), links_in("links/intersection"));
  EXPECT_EQ(symmetrized(a, b, Symmetry::either), links_in("links/either"));
  EXPECT_EQ(symmetrized(a, b, Symmetry::grow_diag), links_in("links/grow_diag"));
  AlignmentError error;
  error.add(a, links_in("links/sure"), links_in("links/possible"));
  error.add(b, links_in("links/sure"), links_in("links/possible"));
  EXPECT_NEAR(error.rate(), golden()["links/error_rate"].item(), 1e-12);
}

}  // namespace
}  // namespace heed
