#include "tests/bench/models.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "agents/llm/openai_model.hpp"
#include "agents/llm/retrying_model.hpp"
#include "libmsg/core/histogram.hpp"
#include "tests/bench/bare_curl.hpp"
#include "tests/bench/process.hpp"

namespace parley::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t kCalls = 2000;
/// A prompt of some size, the same for both: bodies are not part of what is compared.
constexpr std::size_t kPromptBytes = 1000;
constexpr double kKibibyte = 1024;

/// Times of finished calls, memory while all are in flight, failures.
class Measured {
 public:
  explicit Measured(double seconds)
      : start_(SteadyClock::now()),
        warm_(start_ + std::chrono::milliseconds(15'000)),
        end_(warm_ + std::chrono::milliseconds(static_cast<int>(seconds * 1000))),
        idle_bytes_(resident_bytes()) {}

  [[nodiscard]] bool is_over() const { return SteadyClock::now() >= end_; }
  void finished(SteadyClock::time_point began, bool is_good) {
    if (!is_good) ++failed_;
    if (began < warm_) return;
    times_.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began).count()));
    if (times_.count() % 256 == 1) most_bytes_ = std::max(most_bytes_, resident_bytes());
  }
  void print(std::uint32_t calls) const {
    const double grown = static_cast<double>(std::max(most_bytes_, idle_bytes_) - idle_bytes_);
    std::cout << nlohmann::json{{"finished", times_.count()},
                                {"failed", failed_},
                                {"p50_us", times_.percentile(50)},
                                {"p99_us", times_.percentile(99)},
                                {"bytes_per_call", grown / calls}}
                     .dump()
              << std::endl;
  }

 private:
  SteadyClock::time_point start_;
  SteadyClock::time_point warm_;
  SteadyClock::time_point end_;
  std::uint64_t idle_bytes_;
  std::uint64_t most_bytes_ = 0;
  std::uint64_t failed_ = 0;
  BasicHistogram<7, 34> times_;
};

llm::ChatRequest request_of_some_size() {
  llm::ChatRequest request;
  request.messages = {{llm::Role::user, std::string(kPromptBytes, 'x')}};
  return request;
}

Task<> keep_calling(llm::ChatModel& model, Measured& measured) {
  while (!measured.is_over()) {
    const auto began = SteadyClock::now();
    llm::ChunkSink sink = [](std::string_view) -> Task<Result<>> { co_return Result<>{}; };
    llm::ChatRequest request = request_of_some_size();
    const auto outcome = co_await model.complete(std::move(request), std::move(sink));
    measured.finished(began, outcome.has_value());
  }
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Runs {
  std::vector<double> p50;
  std::vector<double> p99;
  std::vector<double> bytes;
};

void measure(const std::string& self, const std::string& base_url, const std::string& system, double seconds,
             Runs& runs) {
  Process client(std::vector<std::string>{self, "--role", "model-client", "--system", system, "--endpoint", base_url,
                                          "--connections", std::to_string(kCalls), "--seconds",
                                          std::to_string(seconds)});
  const auto result = nlohmann::json::parse(client.read_line(std::chrono::seconds(120)));
  if (result.at("failed").get<std::uint64_t>() > 0) {
    throw std::runtime_error(system + ": " + result.at("failed").dump() + " model calls failed");
  }
  runs.p50.push_back(result.at("p50_us").get<double>() / 1000);
  runs.p99.push_back(result.at("p99_us").get<double>() / 1000);
  runs.bytes.push_back(result.at("bytes_per_call"));
}

}  // namespace

int run_model_client(const std::string& base_url, std::uint32_t calls, double seconds) {
  allow_many_files();
  asio::io_context io(1);
  SystemClock clock;
  SeededRandom random(1);
  llm::OpenAiOptions options;
  options.http.base_url = base_url;
  options.http.key_variable = "";
  options.model = "bench";
  std::shared_ptr<llm::ChatModel> inner =
      llm::make_openai_model(options, http::CurlMulti::make(io), clock, random).value();
  llm::RetryingModel model(std::move(inner), llm::RetryingOptions{}, clock, random);
  Measured measured(seconds);
  for (std::uint32_t i = 0; i < calls; ++i) asio::co_spawn(io, keep_calling(model, measured), asio::detached);
  io.run();
  measured.print(calls);
  return 0;
}

int run_curl_client(const std::string& base_url, std::uint32_t calls, double seconds) {
  allow_many_files();
  const std::string body =
      nlohmann::json{{"model", "bench"},
                     {"stream", true},
                     {"stream_options", {{"include_usage", true}}},
                     {"messages", {{{"role", "user"}, {"content", std::string(kPromptBytes, 'x')}}}}}
          .dump();
  BareCurl curl(base_url + "/chat/completions", body);
  Measured measured(seconds);
  curl.run(calls, [&](SteadyClock::time_point began, bool is_good) {
    measured.finished(began, is_good);
    return !measured.is_over();
  });
  measured.print(calls);
  return 0;
}

std::vector<Fact> measure_models(const std::string& self, std::uint32_t rounds, double seconds) {
  const std::string stub = std::filesystem::path(self).replace_filename("parley-stub-model");
  Process server(std::vector<std::string>{stub, "--quiet", "--stagger-ms", "7000", "--delay-ms", "7000",
                                          "--interval-ms", "100", "--chunk-bytes", "4", "--reply",
                                          "twenty bytes of text"});
  const std::string base_url =
      nlohmann::json::parse(server.read_line(std::chrono::seconds(20))).at("base_url").get<std::string>();
  Runs curl;
  Runs parley;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    std::cerr << "\r[models] round " << round + 1 << "/" << rounds << "        " << std::flush;
    measure(self, base_url, "curl", seconds, curl);
    measure(self, base_url, "parley", seconds, parley);
  }
  std::cerr << "\n";
  return {{"model call, p50 beyond bare curl_multi, 2000 in flight", "ms", median(parley.p50) - median(curl.p50), 2},
          {"model call, p99 beyond bare curl_multi, 2000 in flight", "ms", median(parley.p99) - median(curl.p99), 2},
          {"model call, p99, bare curl_multi", "ms", median(curl.p99), 0},
          {"model call, p99", "ms", median(parley.p99), 0},
          {"model call, memory in flight", "KiB", median(parley.bytes) / kKibibyte, 40},
          {"model call, memory in flight, bare curl_multi", "KiB", median(curl.bytes) / kKibibyte, 0}};
}

}  // namespace parley::bench
