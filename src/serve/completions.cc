// POST /v1/completions and /v1/chat/completions: OpenAI's shapes, whole or as server-sent events.
#include <array>
#include <ctime>
#include <optional>

#include "base/check.h"
#include "serve/refusal.h"
#include "serve/routes.h"
#include "serve/schema.h"

namespace heed::serve {
namespace {

using namespace schema;

// ---- what may be asked ----------------------------------------------------------------------------------------------

struct StreamOptions {
  bool include_usage = false;
  void visit(auto&& field) { field("include_usage", include_usage, Rule{"a last event with the usage"}); }
};

// What both ask for.
struct Sampling {
  std::string model, user;
  std::optional<int64_t> max_tokens, seed, top_k;
  std::optional<double> temperature, top_p, min_p;
  std::optional<Texts> stop;
  std::optional<int64_t> n;
  std::optional<bool> stream;
  std::optional<StreamOptions> stream_options;
  void visit(auto&& field) {
    field("model", model, Rule{"a name of /v1/models; empty: the first"});
    field("max_tokens", max_tokens, Rule{"that are said at most"}.within(1, 65536));
    field("temperature", temperature, Rule{"0: always the most probable"}.within(0, 2));
    field("top_p", top_p,
          Rule{"of the most probable tokens, those that together have this probability"}.within(1e-6, 1));
    field("top_k", top_k, Rule{"only so many of the most probable tokens; 0: all"}.within(0, 1e9));
    field("min_p", min_p, Rule{"only tokens with this share of the most probable one's"}.within(0, 1));
    field("n", n, Rule{"answers, all drawn"}.within(1, 16));
    field("seed", seed, Rule{"the same seed, the same answer"}.within(-1e15, 1e15));
    field("stop", stop, Rule{"texts that end the answer, and are not part of it"});
    field("stream", stream, Rule{"token by token, as server-sent events"});
    field("stream_options", stream_options, Rule{"of the stream"});
    field("user", user, Rule{"not used"});
  }

  bool draws() const { return temperature || top_p || top_k || min_p || seed || n.value_or(1) > 1; }
  std::vector<std::string> stops() const { return stop ? stop->all : std::vector<std::string>(); }
};

struct CompletionBody : Sampling {
  Texts prompt;
  std::optional<int64_t> logprobs;
  void visit(auto&& field) {
    field("prompt", prompt, Rule{"what the answer goes on from, or what is to be translated"}.must());
    field("logprobs", logprobs,
          Rule{"log-probabilities of the tokens that were said, and of so many of the most probable"}.within(0, 5));
    Sampling::visit(field);
  }
};

enum class Role { system, user, assistant };
constexpr std::array<std::pair<const char*, Role>, 3> names_of(Role) {
  return {{{"system", Role::system}, {"user", Role::user}, {"assistant", Role::assistant}}};
}

struct Message {
  Role role = Role::user;
  std::string content;
  void visit(auto&& field) {
    field("role", role, Rule{"system, user or assistant"}.must());
    field("content", content, Rule{"the text"}.must());
  }
};
struct ChatBody : Sampling {
  std::vector<Message> messages;
  std::optional<int64_t> max_completion_tokens;
  std::optional<bool> logprobs;
  std::optional<int64_t> top_logprobs;
  void visit(auto&& field) {
    field("messages", messages, Rule{"the talk; a translator reads the last one alone"}.must());
    field("max_completion_tokens", max_completion_tokens, Rule{"the newer name of max_tokens"}.within(1, 65536));
    field("logprobs", logprobs, Rule{"log-probabilities of the tokens that were said"});
    field("top_logprobs", top_logprobs, Rule{"with logprobs: and of so many of the most probable"}.within(0, 20));
    Sampling::visit(field);
  }
};

// A request in one form, whichever path it took.
struct Wanted {
  bool chat = false, logprobs = false;
  int64_t alternatives = 0;  // at each place
  Model model;
  std::vector<std::string> prompts;
  Sampling sampling;
};

// What OpenAI's fields are among the options of a search. Nothing said: the model's own way.
Options options_of(const Sampling& s, const Settings& settings) {
  Options options;
  if (s.max_tokens) options["longest"] = std::to_string(std::min(*s.max_tokens, settings.tokens));
  if (!s.draws()) return options;
  const bool greedy = s.temperature && *s.temperature == 0;
  options["strategy"] = greedy ? "greedy" : "sample";
  if (greedy) return options;
  if (s.temperature) options["temperature"] = fmt::format("{}", *s.temperature);
  if (s.top_p) options["top_p"] = fmt::format("{}", *s.top_p);
  if (s.top_k) options["top_k"] = std::to_string(*s.top_k);
  if (s.min_p) options["min_p"] = fmt::format("{}", *s.min_p);
  if (s.n) options["n_best"] = std::to_string(*s.n);
  if (s.seed) options["seed"] = std::to_string(*s.seed);
  return options;
}

// ---- what is said ---------------------------------------------------------------------------------------------------

// Where the first of the stops begins; npos: none is there.
size_t stop_in(const std::string& text, const std::vector<std::string>& stops) {
  size_t first = std::string::npos;
  for (const std::string& stop : stops)
    if (!stop.empty()) first = std::min(first, text.find(stop));
  return first;
}

// Of a text that goes on: what cannot become the beginning of a stop any more, nor a part of a character.
size_t settled(const std::string& text, const std::vector<std::string>& stops) {
  size_t end = text.size();
  for (const std::string& stop : stops)
    for (size_t part = std::min(stop.size(), text.size()); part > 0; --part)
      if (text.compare(text.size() - part, part, stop, 0, part) == 0) end = std::min(end, text.size() - part);
  static const std::string kUnknown = "\xEF\xBF\xBD";
  while (end >= kUnknown.size() && text.compare(end - kUnknown.size(), kUnknown.size(), kUnknown) == 0)
    end -= kUnknown.size();
  return end;
}

const char* finish_of(const Answered& said, bool stopped) {
  return !stopped && said.ending == Ending::longest ? "length" : "stop";
}

struct Choice {
  std::string text;
  const char* finish;
};
Choice choice_of(const Answered& said, const std::vector<std::string>& stops) {
  const size_t stop = stop_in(said.said, stops);
  return {said.said.substr(0, stop), finish_of(said, stop != std::string::npos)};
}

Json usage_of(const std::vector<std::vector<Answered>>& all) {
  int64_t read = 0, said = 0;
  for (const auto& several : all) {
    read += several.at(0).read;
    for (const Answered& each : several) said += static_cast<int64_t>(each.tokens.size());
  }
  return {{"prompt_tokens", read}, {"completion_tokens", said}, {"total_tokens", read + said}};
}

// Tokens that were said, with what might have stood in the place of each.
struct Spoken {
  std::vector<std::string> tokens;
  std::vector<float> values;
  std::vector<std::vector<Might>> alternatives;  // empty: not asked for
};

Json token_json(const std::string& token, float value) {
  return {{"token", token}, {"logprob", value}, {"bytes", std::vector<uint8_t>(token.begin(), token.end())}};
}
Json chat_logprobs(const Spoken& spoken) {
  Json content = Json::array();
  for (size_t n = 0; n < spoken.tokens.size(); ++n) {
    Json one = token_json(spoken.tokens[n], spoken.values[n]);
    one["top_logprobs"] = Json::array();
    if (!spoken.alternatives.empty())
      for (const auto& [token, value] : spoken.alternatives[n]) one["top_logprobs"].push_back(token_json(token, value));
    content.push_back(std::move(one));
  }
  return {{"content", content}, {"refusal", nullptr}};
}
// By their texts, as OpenAI has them, with what was said among them: of tokens of one text the most probable.
Json text_logprobs(const Spoken& spoken) {
  Json all = Json::array();
  for (size_t n = 0; n < spoken.alternatives.size(); ++n) {
    Json one = {{spoken.tokens[n], spoken.values[n]}};
    for (const auto& [token, value] : spoken.alternatives[n]) one.emplace(token, value);
    all.push_back(std::move(one));
  }
  return {{"tokens", spoken.tokens},
          {"token_logprobs", spoken.values},
          {"top_logprobs", all.empty() ? Json() : all},
          {"text_offset", Json::array()}};
}
Json logprobs_of(const Wanted& wanted, const Spoken& spoken) {
  if (!wanted.logprobs) return nullptr;
  return wanted.chat ? chat_logprobs(spoken) : text_logprobs(spoken);
}
Json logprobs_of(const Wanted& wanted, const Answered& said) {
  return logprobs_of(wanted, Spoken{said.tokens, said.log_probabilities, said.alternatives});
}
Json logprobs_of(const Wanted& wanted, const Said& said) {
  Spoken spoken{{said.token}, {said.log_probability}, {}};
  if (wanted.alternatives > 0) spoken.alternatives = {said.alternatives};
  return logprobs_of(wanted, spoken);
}

Json frame(const Wanted& wanted, const std::string& id, bool part) {
  const char* object = wanted.chat ? part ? "chat.completion.chunk" : "chat.completion" : "text_completion";
  return {{"id", id},
          {"object", object},
          {"created", std::time(nullptr)},
          {"model", wanted.model.id},
          {"choices", Json::array()}};
}

Json whole_answer(const Wanted& wanted, const std::string& id, const std::vector<std::vector<Answered>>& all) {
  Json answer = frame(wanted, id, false);
  for (const auto& several : all)
    for (const Answered& each : several) {
      const auto [text, finish] = choice_of(each, wanted.sampling.stops());
      Json choice = {
          {"index", answer["choices"].size()}, {"finish_reason", finish}, {"logprobs", logprobs_of(wanted, each)}};
      if (wanted.chat)
        choice["message"] = {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
      else
        choice["text"] = text;
      answer["choices"].push_back(std::move(choice));
    }
  answer["usage"] = usage_of(all);
  return answer;
}

// ---- as a stream ----------------------------------------------------------------------------------------------------

// The events of one answer. Everything comes from one thread of the worker.
class Events {
 public:
  Events(Wanted wanted, std::string id, std::shared_ptr<Reply> reply)
      : wanted_(std::move(wanted)), id_(std::move(id)), reply_(std::move(reply)), stops_(wanted_.sampling.stops()) {}

  Then said(const Said& said) {
    if (said.choice >= static_cast<int64_t>(sent_.size())) sent_.resize(static_cast<size_t>(said.choice) + 1);
    const size_t stop = stop_in(said.text, stops_), end = std::min(stop, settled(said.text, stops_));
    tell(said.choice, said.text.substr(0, end), logprobs_of(wanted_, said), nullptr);
    return stop != std::string::npos ? Then::stop : Then::go_on;
  }

  void done(Outcome outcome) {
    if (outcome.error) return failed(outcome.error);
    try {
      tell_all(outcome);
    } catch (...) {
      failed(std::current_exception());
    }
  }

 private:
  void tell_all(const Outcome& outcome) {
    for (size_t n = 0; n < outcome.answers.size(); ++n) {
      const bool whole = n >= sent_.size();  // of a beam nothing was told before
      if (whole) sent_.resize(n + 1);
      const auto [text, finish] = choice_of(outcome.answers[n], stops_);
      tell(static_cast<int64_t>(n), text, whole ? logprobs_of(wanted_, outcome.answers[n]) : Json(), finish);
    }
    if (wanted_.sampling.stream_options && wanted_.sampling.stream_options->include_usage) {
      Json last = frame(wanted_, id_, true);
      last["usage"] = usage_of({outcome.answers});
      event(to_text(last));
    }
    event("[DONE]");
    reply_->end();
  }

  void failed(const std::exception_ptr& error) {
    const Response response = error_response(error);
    if (!begun_) return reply_->send(response);
    event(response.body);
    reply_->end();
  }

  void tell(int64_t choice, const std::string& text, const Json& logprobs, const char* finish) {
    std::string& sent = sent_[static_cast<size_t>(choice)];
    const std::string more = text.size() > sent.size() ? text.substr(sent.size()) : "";
    sent += more;
    Json part = frame(wanted_, id_, true);
    Json said = {{"index", choice}, {"finish_reason", finish ? Json(finish) : Json()}, {"logprobs", logprobs}};
    if (wanted_.chat)
      said["delta"] = {{"role", "assistant"}, {"content", more}};
    else
      said["text"] = more;
    part["choices"].push_back(std::move(said));
    event(to_text(part));
  }

  void event(const std::string& data) {
    if (!std::exchange(begun_, true)) reply_->begin({200, "text/event-stream", ""});
    reply_->write("data: " + data + "\n\n");
  }

  const Wanted wanted_;
  const std::string id_;
  const std::shared_ptr<Reply> reply_;
  const std::vector<std::string> stops_;
  std::vector<std::string> sent_;  // of each choice
  bool begun_ = false;
};

// ---- asking ---------------------------------------------------------------------------------------------------------

Ask ask_for(Service& service, const Wanted& wanted, const std::string& prompt) {
  Options options = options_of(wanted.sampling, service.settings);
  if (wanted.alternatives > 0) options["alternatives"] = std::to_string(wanted.alternatives);
  Ask ask = ask_of(service, wanted.model, prompt, options);
  ask.asked.number = wanted.sampling.seed ? 0 : service.drawn++;
  return ask;
}

void stream(Service& service, const Wanted& wanted, const std::string& id, const std::shared_ptr<Reply>& reply) {
  check(wanted.prompts.size() == 1, "stream", "is of one prompt, got {}", wanted.prompts.size());
  const auto events = std::make_shared<Events>(wanted, id, reply);
  Asks asks = {ask_for(service, wanted, wanted.prompts[0])};
  asks.front().asked.gone = [reply] { return reply->gone(); };
  asks.front().asked.on_said = [events](const Said& said) { return events->said(said); };
  asks.front().done = [events](Outcome outcome) { events->done(std::move(outcome)); };
  service.worker.ask(std::move(asks));
}

void whole(Service& service, const Wanted& wanted, const std::string& id, const std::shared_ptr<Reply>& reply) {
  const auto together = std::make_shared<Together>(wanted.prompts.size(), reply,
                                                   [wanted, id, reply](const std::vector<std::vector<Answered>>& all) {
                                                     reply->send(json_response(whole_answer(wanted, id, all)));
                                                   });
  Asks asks;
  for (size_t n = 0; n < wanted.prompts.size(); ++n) {
    Ask& ask = asks.emplace_back(ask_for(service, wanted, wanted.prompts[n]));
    Together::of(together, n, ask);
    if (const auto stops = wanted.sampling.stops(); !stops.empty())
      ask.asked.on_said = [stops](const Said& said) {
        return stop_in(said.text, stops) == std::string::npos ? Then::go_on : Then::stop;
      };
  }
  service.worker.ask(std::move(asks));
}

void complete(Service& service, const Wanted& wanted, const std::shared_ptr<Reply>& reply) {
  check(wanted.model.run->speaks(), wanted.model.id, "says no tokens; ask POST /v1/predict");
  const std::string id =
      fmt::format("{}-{:x}", wanted.chat ? "chatcmpl" : "cmpl", static_cast<uint64_t>(service.drawn++));
  wanted.sampling.stream.value_or(false) ? stream(service, wanted, id, reply) : whole(service, wanted, id, reply);
}

void completions(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  const auto body = read_body<CompletionBody>(request.body);
  const Model model = model_of(service, body.model);
  complete(service, {false, body.logprobs.has_value(), body.logprobs.value_or(0), model, body.prompt.all, body}, reply);
}

// A translator is given the last message; a language model the whole talk, a message a line.
std::string prompt_of(const std::vector<Message>& messages, const Model& model) {
  if (model.task == "translate") return messages.back().content;
  std::string text;
  for (const Message& each : messages) text += (text.empty() ? "" : "\n") + each.content;
  return text;
}

void chat(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  auto body = read_body<ChatBody>(request.body);
  if (body.max_completion_tokens) body.max_tokens = body.max_completion_tokens;
  const bool logprobs = body.logprobs.value_or(false);
  const int64_t top = body.top_logprobs.value_or(0);
  check(logprobs || top == 0, "top_logprobs", "is {} without \"logprobs\": true", top);
  const Model model = model_of(service, body.model);
  complete(service, {true, logprobs, top, model, {prompt_of(body.messages, model)}, body}, reply);
}

// ---- the schema of an answer ----------------------------------------------------------------------------------------

Json answer_schema(const std::pair<const char*, Json>& said) {
  const Json choice =
      object({{"index", integer()}, {"finish_reason", string()}, {"logprobs", or_null({{"type", "object"}})}, said});
  const Json usage =
      object({{"prompt_tokens", integer()}, {"completion_tokens", integer()}, {"total_tokens", integer()}});
  return object({{"id", string()},
                 {"object", string()},
                 {"created", integer()},
                 {"model", string()},
                 {"choices", array(choice)},
                 {"usage", usage}});
}

}  // namespace

Route completions_route() {
  return {"POST",
          "/v1/completions",
          "Goes on from a prompt, or translates it; OpenAI's shape.",
          Access::key,
          "application/json",
          schema_of<CompletionBody>,
          [] {
            return answer_schema({"text", string()});
          },
          completions};
}
Route chat_route() {
  return {"POST",
          "/v1/chat/completions",
          "Answers a talk; OpenAI's shape.",
          Access::key,
          "application/json",
          schema_of<ChatBody>,
          [] {
            return answer_schema({"message", object({{"role", string()}, {"content", string()}})});
          },
          chat};
}

}  // namespace heed::serve
