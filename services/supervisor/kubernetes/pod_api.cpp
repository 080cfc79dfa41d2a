#include "services/supervisor/kubernetes/pod_api.hpp"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace parley::supervisor {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxListBytes = std::size_t{64} * 1024 * 1024;
constexpr int kPageSize = 500;
/// No cluster has more pods of one suite; a server that goes on for ever is broken.
constexpr int kMaxPages = 100;
/// The server says something (a bookmark) about once a minute, and ends the watch in time.
constexpr std::chrono::seconds kWatchSlack{30};

std::string query_text(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '_' || c == '.' || c == '~';
    encoded += is_plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

/// A Status of the API, or whatever came instead, for people.
std::string reason_of(const std::string& body) {
  constexpr std::size_t kMaxReason = 300;
  const json status = json::parse(body, nullptr, false);
  if (status.is_object() && status.contains("message") && status["message"].is_string()) {
    return status["message"].get<std::string>().substr(0, kMaxReason);
  }
  return body.substr(0, kMaxReason);
}

std::unexpected<Error> refused(int status, const std::string& body) {
  const bool is_denied = status == 401 || status == 403;
  return fail(Error(is_denied ? ErrorCode::unauthorized : ErrorCode::upstream_failed,
                    fmt::format("the Kubernetes API answered with status {}: {}", status, reason_of(body)), true));
}

bool is_good(int status) { return status >= 200 && status < 300; }

}  // namespace

PodApi::PodApi(std::shared_ptr<http::CurlMulti> curl, const Clock& clock, PodApiOptions options)
    : curl_(std::move(curl)), clock_(clock), options_(std::move(options)) {
  while (options_.server.ends_with('/')) options_.server.pop_back();
}

http::HttpRequest PodApi::request(std::string method, const std::string& path) const {
  http::HttpRequest request;
  request.method = std::move(method);
  request.url = options_.server + path;
  request.headers = {"Accept: application/json"};
  if (!options_.token_file.empty()) {
    std::ifstream file(options_.token_file);
    std::string token{std::istreambuf_iterator<char>(file), {}};
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
    request.headers.push_back("Authorization: Bearer " + token);
  }
  request.ca_file = options_.ca_file;
  request.connect_timeout = options_.timeout;
  request.stall_timeout = options_.timeout;
  request.max_response_bytes = kMaxListBytes;
  // The API is inside the cluster: settings for a way out do not apply.
  request.is_loopback = true;
  return request;
}

std::string PodApi::pods_path(const std::string& query) const {
  return fmt::format("/api/v1/namespaces/{}/pods?labelSelector={}{}", query_text(options_.name_space),
                     query_text(options_.selector), query);
}

Task<Result<std::string>> PodApi::read_all(http::HttpTransfer& transfer) {
  const TimePoint until = clock_.now() + options_.timeout;
  std::string body;
  for (;;) {
    Result<std::optional<std::string>> piece = co_await transfer.read(until - clock_.now());
    if (!piece) co_return fail(std::move(piece).error());
    if (!*piece) co_return body;
    body += **piece;
  }
}

Task<Result<PodList>> PodApi::list() {
  PodList all;
  for (int page = 0; page < kMaxPages; ++page) {
    std::string query = fmt::format("&limit={}", kPageSize);
    if (!all.next_page.empty()) query += "&continue=" + query_text(all.next_page);
    http::HttpTransfer transfer(curl_, request("GET", pods_path(query)));
    const Result<std::string> body = co_await read_all(transfer);
    if (!body) co_return fail(body.error());
    if (!is_good(transfer.status())) co_return refused(transfer.status(), *body);
    Result<PodList> next = read_pod_list(*body);
    if (!next) co_return fail(std::move(next).error());
    std::ranges::move(next->pods, std::back_inserter(all.pods));
    all.version = std::move(next->version);
    all.next_page = std::move(next->next_page);
    if (all.next_page.empty()) co_return all;
  }
  co_return fail(ErrorCode::upstream_failed, "the Kubernetes API's list of pods does not end");
}

Task<Result<>> PodApi::watch(std::string version, Listener listener) {
  const std::string query = fmt::format("&watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
                                        options_.watch_time.count(), query_text(version));
  http::HttpRequest wanted = request("GET", pods_path(query));
  wanted.stall_timeout = options_.watch_time + kWatchSlack;
  http::HttpTransfer transfer(curl_, std::move(wanted));
  WatchStream stream;
  std::string refusal;
  for (;;) {
    Result<std::optional<std::string>> piece = co_await transfer.read(std::chrono::hours(1));
    if (!piece) co_return fail(std::move(piece).error());
    const bool is_accepted = is_good(transfer.status());
    if (!*piece) {
      if (is_accepted) co_return Result<>{};
      break;
    }
    if (!is_accepted) {
      refusal += **piece;
      continue;
    }
    const Result<std::vector<WatchEvent>> events = stream.take(**piece);
    if (!events) co_return fail(events.error());
    for (const WatchEvent& event : *events) {
      listener(event);
      if (event.kind == WatchEvent::Kind::expired) co_return Result<>{};
    }
  }
  constexpr int kGone = 410;
  if (transfer.status() != kGone) co_return refused(transfer.status(), refusal);
  listener(WatchEvent{.kind = WatchEvent::Kind::expired});
  co_return Result<>{};
}

Task<Result<>> PodApi::remove(std::string name, std::string uid, std::optional<std::chrono::seconds> grace) {
  http::HttpRequest wanted = request(
      "DELETE", fmt::format("/api/v1/namespaces/{}/pods/{}", query_text(options_.name_space), query_text(name)));
  json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"preconditions", {{"uid", uid}}}};
  if (grace) options["gracePeriodSeconds"] = grace->count();
  wanted.body = options.dump();
  wanted.headers.emplace_back("Content-Type: application/json");
  http::HttpTransfer transfer(curl_, std::move(wanted));
  const Result<std::string> body = co_await read_all(transfer);
  if (!body) co_return fail(body.error());
  // Gone, or (conflict) another pod has its name.
  const bool is_gone = transfer.status() == 404 || transfer.status() == 409;
  if (!is_good(transfer.status()) && !is_gone) co_return refused(transfer.status(), *body);
  co_return Result<>{};
}

}  // namespace parley::supervisor
