// parley-bench: Parley against a plain ZeroMQ relay and NATS, on this machine, in one interleaved run.
// Never part of the tests: speed is measured, not asserted.
#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/memory.hpp"
#include "tests/bench/models.hpp"
#include "tests/bench/process.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/roles.hpp"

namespace parley::bench {

void announce_ready(const std::string& endpoint) {
  std::cout << nlohmann::json{{"event", "ready"}, {"endpoint", endpoint}}.dump() << std::endl;
}

namespace {

struct Options {
  std::string role;
  std::string endpoint;
  std::string pattern = "round_trip";
  std::string system = "parley";
  std::uint32_t payload_bytes = 100;
  std::uint32_t connections = 1;
  Load load;
  std::uint32_t rounds = 5;
  bool is_quick = false;
  bool is_json = false;
  std::string svg_file;
  std::string only;
  std::string broker;
};

/// One thing to measure, for every system that can do it.
struct Case {
  std::string name;
  Pattern pattern = Pattern::round_trip;
  std::uint32_t payload_bytes = 100;
  std::uint32_t window = 1;
  std::uint32_t connections = 1;
  double load_percent = 0;
  std::uint32_t more_rounds = 1;  ///< so many times the usual number
};

/// Open loop loads are shares of what the same system reaches in this case.
constexpr std::uint32_t kSaturationPayload = 100;
constexpr std::uint32_t kSaturationWindow = 1024;
bool tells_saturation(const Case& test_case) {
  return test_case.name == "round_trip" && test_case.payload_bytes == kSaturationPayload &&
         test_case.window == kSaturationWindow;
}

std::string to_string(Pattern pattern) {
  if (pattern == Pattern::round_trip) return "round_trip";
  return pattern == Pattern::one_way ? "one_way" : "fan_out";
}

Pattern pattern_of(const std::string& name) {
  if (name == "one_way") return Pattern::one_way;
  return name == "fan_out" ? Pattern::fan_out : Pattern::round_trip;
}

std::vector<Case> all_cases(const Options& options) {
  std::vector<Case> cases;
  for (const std::uint32_t payload : {100U, 1024U, 65'536U}) {
    for (const std::uint32_t window : {1U, 64U, 1024U}) {
      if (options.is_quick && payload != 100) continue;
      cases.push_back({"round_trip", Pattern::round_trip, payload, window});
    }
  }
  for (const std::uint32_t window : {1U, 64U, 1024U}) {
    cases.push_back({"runtime_round_trip", Pattern::round_trip, 100, window});
  }
  for (const std::uint32_t window : {64U, 1024U}) {
    cases.push_back({"metrics_overhead", Pattern::round_trip, 100, window});
    cases.back().more_rounds = 3;  // A difference of 3 % lies within what single runs vary by.
  }
  cases.push_back({"one_way", Pattern::one_way, 100, 4096});
  cases.push_back({"fan_out_16", Pattern::fan_out, 100, 1024, 16});
  for (const double percent : {10.0, 50.0, 80.0}) {
    cases.push_back({"open_loop", Pattern::round_trip, 100, 0, 1, percent});
  }
  if (!options.only.empty()) std::erase_if(cases, [&](const Case& c) { return !c.name.starts_with(options.only); });
  const bool has_open_loop = std::ranges::any_of(cases, [](const Case& c) { return c.load_percent > 0; });
  if (has_open_loop && std::ranges::none_of(cases, &tells_saturation)) {
    cases.insert(cases.begin(), {"round_trip", Pattern::round_trip, kSaturationPayload, kSaturationWindow});
  }
  return cases;
}

// ---- roles ----------------------------------------------------------------------------------------------------------

void print(const Outcome& outcome) {
  std::cout << nlohmann::json{{"finished", outcome.finished}, {"seconds", outcome.seconds},
                              {"lost", outcome.lost},         {"duplicated", outcome.duplicated},
                              {"p50_us", outcome.p50_us},     {"p99_us", outcome.p99_us},
                              {"p999_us", outcome.p999_us},   {"sent", outcome.sent}}
                   .dump()
            << std::endl;
}

/// Typed agents: as such, or with and without metrics against each other.
bool is_runtime(const std::string& system) { return system == "runtime" || system == "plain" || system == "metrics"; }

/// One message in each ZeroMQ message, or bundles that are forwarded unread.
bool is_relay(const std::string& system) { return system == "relay" || system == "bundled"; }

int run_client(const Options& options) {
  if (is_runtime(options.system)) {
    print(run_runtime_client(options.endpoint, options.payload_bytes, options.load));
    return 0;
  }
  const Pattern pattern = pattern_of(options.pattern);
  std::unique_ptr<Transport> transport;
  if (options.system == "relay") transport = make_relay_client(options.endpoint, pattern, options.payload_bytes);
  if (options.system == "bundled") transport = make_bundling_relay_client(options.endpoint, options.payload_bytes);
  if (options.system == "parley") transport = make_link_client(options.endpoint, pattern, options.payload_bytes);
  if (options.system == "nats") {
    transport = make_nats_client(options.endpoint, pattern, options.payload_bytes, options.load.window);
  }
  if (!transport) return 2;
  print(run_load(*transport, options.load));
  return 0;
}

int run_worker(const Options& options) {
  const Pattern pattern = pattern_of(options.pattern);
  if (is_relay(options.system)) return run_relay_worker(options.endpoint, pattern, options.connections);
  if (is_runtime(options.system)) {
    return run_runtime_worker(options.endpoint, options.system == "metrics" ? Metrics::on : Metrics::off);
  }
  if (options.system == "nats") {
    return run_nats_worker(options.endpoint, pattern, options.connections, options.load.window);
  }
  return run_link_worker(options.endpoint, pattern, options.connections);
}

// ---- orchestration --------------------------------------------------------------------------------------------------

std::string endpoint_in(const std::string& ready_line) {
  return nlohmann::json::parse(ready_line).at("endpoint").get<std::string>();
}

/// A free loopback port for nats-server, which cannot report the one it chose on standard output.
std::string free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(descriptor, generic, length) != 0 || getsockname(descriptor, generic, &length) != 0) {
    throw std::runtime_error("no free loopback port");
  }
  close(descriptor);
  return std::to_string(ntohs(address.sin_port));
}

class Bench {
 public:
  Bench(std::string self, Options options) : self_(std::move(self)), options_(std::move(options)) {}

  int run() {
    const std::vector<Case> cases = all_cases(options_);
    if (cases.empty() && options_.only != "memory" && options_.only != "models") {
      throw std::runtime_error("no case starts with '" + options_.only + "'; a run without --only lists them");
    }
    std::ofstream drawing;
    if (!options_.svg_file.empty()) {
      drawing.open(options_.svg_file);
      if (!drawing) throw std::runtime_error("cannot write '" + options_.svg_file + "'");
    }
    if (!is_nats_built_in()) std::cerr << "NATS is not measured: its C client was not there when this was built\n";
    std::vector<Row> runs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::uint32_t rounds = options_.rounds * cases[i].more_rounds;
      for (std::uint32_t round = 0; round < rounds; ++round) {
        std::cerr << "\r[" << i + 1 << "/" << cases.size() << "] " << cases[i].name << " " << cases[i].payload_bytes
                  << " B window " << cases[i].window << ", round " << round + 1 << "/" << rounds << "        "
                  << std::flush;
        std::vector<std::string> systems = systems_of(cases[i]);
        if (round % 2 == 1) std::ranges::reverse(systems);  // Who comes first has no advantage.
        for (const std::string& system : systems) runs.push_back(measure(cases[i], system));
      }
      note_saturation(runs, cases[i]);
    }
    std::cerr << "\n";
    const std::vector<Row> rows = medians(runs);
    const std::vector<Fact> facts = measure_facts();
    if (options_.is_json) {
      std::cout << json_lines(rows) << json_lines(facts) << json_lines(targets(rows, runs));
    } else {
      std::cout << table(rows) << "\n" << table(facts) << "\n" << table(targets(rows, runs));
    }
    if (drawing.is_open()) drawing << svg(rows);
    return 0;
  }

 private:
  /// The figures that are no rates.
  [[nodiscard]] std::vector<Fact> measure_facts() const {
    std::vector<Fact> facts;
    const bool is_all = options_.only.empty();
    if (is_all || options_.only == "memory") facts = measure_memory(self_, options_.broker);
    if (is_all || options_.only == "models") {
      for (Fact& fact : measure_models(self_, options_.rounds, std::max(5.0, options_.load.seconds))) {
        facts.push_back(std::move(fact));
      }
    }
    return facts;
  }

  std::vector<std::string> systems_of(const Case& test_case) const {
    if (test_case.name == "metrics_overhead") return {"plain", "metrics"};
    std::vector<std::string> systems{"relay", "parley"};
    if (test_case.name == "runtime_round_trip") systems = {"runtime"};
    if (is_nats_built_in()) systems.emplace_back("nats");
    const bool has_ceiling = test_case.name == "round_trip" && test_case.payload_bytes == kSaturationPayload;
    if (has_ceiling) systems.emplace_back("bundled");
    return systems;
  }

  Row measure(const Case& test_case, const std::string& system) {
    std::string endpoint;
    const auto host = start_host(system, endpoint);
    Process worker(role_arguments("worker", test_case, system, endpoint));
    worker.read_line(std::chrono::seconds(20));
    const auto cpu_before = host->cpu_time();
    Process client(role_arguments("client", test_case, system, endpoint));
    const auto result = nlohmann::json::parse(client.read_line(std::chrono::seconds(60)));
    const auto cpu = host->cpu_time() - cpu_before;

    Row row;
    row.test_case = test_case.name;
    row.system = system == "runtime" ? "parley" : system;
    row.payload_bytes = test_case.payload_bytes;
    row.window = test_case.window;
    row.load_percent = test_case.load_percent;
    const double deliveries = test_case.pattern == Pattern::fan_out ? test_case.connections : 1;
    row.per_second = deliveries * result.at("finished").get<double>() / result.at("seconds").get<double>();
    row.p50_us = result.at("p50_us");
    row.p99_us = result.at("p99_us");
    row.p999_us = result.at("p999_us");
    row.lost = result.at("lost");
    row.duplicated = result.at("duplicated");
    if (test_case.load_percent > 0) row.offered_per_second = test_case.load_percent / 100.0 * saturation_of(system);
    if (test_case.pattern != Pattern::round_trip) count_arrivals(worker, result.at("sent"), test_case, row);
    row.broker_cpu_us_per_message =
        static_cast<double>(cpu.count()) / 1e3 / (deliveries * std::max(1.0, result.at("sent").get<double>()));
    return row;
  }

  /// One-way messages: what the receivers themselves have counted, against what was sent.
  static void count_arrivals(Process& worker, std::uint64_t sent, const Case& test_case, Row& row) {
    const auto tally = nlohmann::json::parse(worker.ask_for_end(std::chrono::seconds(20)));
    const std::uint64_t expected = sent * test_case.connections;
    const auto arrived = tally.at("arrived").get<std::uint64_t>();
    row.lost = std::max<std::uint64_t>(row.lost, expected - std::min(expected, arrived));
    row.duplicated += tally.at("duplicated").get<std::uint64_t>();
  }

  std::unique_ptr<Process> start_host(const std::string& system, std::string& endpoint) {
    if (system == "nats") {
      const std::string port = free_port();
      auto host = std::make_unique<Process>(
          std::vector<std::string>{"sh", "-c", "exec nats-server -a 127.0.0.1 -p " + port + " 2>&1"});
      while (!host->read_line(std::chrono::seconds(10)).contains("Server is ready")) {
      }
      endpoint = "nats://127.0.0.1:" + port;
      return host;
    }
    std::vector<std::string> command{options_.broker, "--listen", "tcp://127.0.0.1:*", "--log-level", "error"};
    if (system == "metrics") command.insert(command.end(), {"--metrics-port", "0"});
    if (is_relay(system)) command = {self_, "--role", "relay"};
    auto host = std::make_unique<Process>(std::move(command));
    endpoint = endpoint_in(host->read_line(std::chrono::seconds(10)));
    return host;
  }

  std::vector<std::string> role_arguments(const std::string& role, const Case& test_case, const std::string& system,
                                          const std::string& endpoint) const {
    const double rate = test_case.load_percent > 0 ? test_case.load_percent / 100.0 * saturation_of(system) : 0;
    return {self_,
            "--role",
            role,
            "--system",
            system,
            "--endpoint",
            endpoint,
            "--pattern",
            to_string(test_case.pattern),
            "--payload",
            std::to_string(test_case.payload_bytes),
            "--window",
            std::to_string(test_case.window),
            "--connections",
            std::to_string(test_case.connections),
            "--rate",
            std::to_string(rate),
            "--seconds",
            std::to_string(options_.load.seconds)};
  }

  void note_saturation(const std::vector<Row>& runs, const Case& test_case) {
    if (!tells_saturation(test_case)) return;
    for (const Row& row : medians(runs)) {
      if (row.test_case == test_case.name && row.payload_bytes == kSaturationPayload &&
          row.window == kSaturationWindow) {
        saturation_[row.system] = row.per_second;
      }
    }
  }
  /// all_cases() puts the case that tells it before those that ask for it.
  [[nodiscard]] double saturation_of(const std::string& system) const { return saturation_.at(system); }

  std::string self_;
  Options options_;
  std::map<std::string, double> saturation_;
};

int run(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Measures Parley against a plain ZeroMQ relay and NATS on this machine.\n"
      "Example: parley-bench --rounds 5 --svg bench.svg"};
  app.add_option("--rounds", options.rounds, "runs per case and system; medians are reported")
      ->check(CLI::Range(1, 100));
  app.add_option("--seconds", options.load.seconds, "measured time of one run")->check(CLI::Range(0.1, 60.0));
  app.add_flag("--quick", options.is_quick, "100 B payloads only");
  app.add_flag("--json", options.is_json, "one JSON object a line");
  app.add_option("--svg", options.svg_file, "also draw the report into this file");
  app.add_option("--only", options.only, "only cases whose name starts with this (memory, models: only those figures)");
  app.add_option("--broker", options.broker, "path of parley-broker (default: beside this program)");
  app.add_option("--role", options.role)->group("");
  app.add_option("--endpoint", options.endpoint)->group("");
  app.add_option("--pattern", options.pattern)->group("");
  app.add_option("--system", options.system)->group("");
  app.add_option("--payload", options.payload_bytes)->group("");
  app.add_option("--window", options.load.window)->group("");
  app.add_option("--connections", options.connections)->group("");
  app.add_option("--rate", options.load.rate)->group("");
  CLI11_PARSE(app, argc, argv);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  if (options.broker.empty()) options.broker = std::filesystem::path(self).replace_filename("parley-broker");
  if (options.role == "relay") return run_relay();
  if (options.role == "worker") return run_worker(options);
  if (options.role == "client") return run_client(options);
  if (options.role == "model-client") {
    const auto run_role = options.system == "curl" ? &run_curl_client : &run_model_client;
    return run_role(options.endpoint, options.connections, options.load.seconds);
  }
  if (options.role == "idle-workers") return run_idle_workers(options.endpoint, options.connections);
  return Bench(self, options).run();
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  try {
    return parley::bench::run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "error: " << failure.what() << "\n";
    return 1;
  }
}
