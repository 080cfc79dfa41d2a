#include "tests/sim/broker_process.hpp"

#include <algorithm>

#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/control.hpp"
#include "tests/sim/world.hpp"

namespace parley::sim {
namespace {

constexpr broker::PeerHandle kInspector = 0xFFFFFFF0U;
/// Few enough to fit the tightest session queue.
constexpr std::size_t kRows = 4;

}  // namespace

BrokerProcess::BrokerProcess(World& world, broker::CoreConfig config) : world_(world), config_(std::move(config)) {
  config_.shard_epoch = 0;
}

void BrokerProcess::start() {
  if (core_) return;
  life_++;
  started_ = world_.now();
  config_.is_restart = config_.shard_epoch > 0;
  config_.shard_epoch++;
  config_.expected_workers = roster_;
  random_ = std::make_unique<SeededRandom>(world_.random().next());
  core_ = std::make_unique<broker::Core>(config_, *random_, world_.now(), world_.schedule().wall_now());
  wake_at_ = TimePoint::max();
  world_.log("broker starts, run {}", run());
  after_work();
}

bool BrokerProcess::may_be_recovering() const {
  return config_.is_restart && world_.now() < started_ + config_.recovery_window + seconds(5);
}

void BrokerProcess::crash() {
  if (!core_) return;
  world_.log("broker dies");
  core_.reset();
  life_++;
  is_paused_ = false;
  is_flush_due_ = false;
  backlog_.clear();
  for (auto& [handle, connection] : connections_) world_.cut(connection, World::Notice::machine);
  connections_.clear();
}

void BrokerProcess::pause(Duration lasting) {
  if (!core_ || is_paused_) return;
  world_.log("broker pauses for {} ms", lasting / milliseconds(1));
  is_paused_ = true;
  world_.schedule().after(lasting, [this, life = life_] {
    if (life == life_) resume();
  });
}

void BrokerProcess::resume() {
  world_.log("broker goes on");
  is_paused_ = false;
  // Like a shell after SIGCONT: frames may be read before or after the timers.
  if (world_.one_in(2)) core_->on_tick(world_.now(), world_.schedule().wall_now());
  while (!backlog_.empty() && !is_paused_ && core_) {
    Action action = std::move(backlog_.front());
    backlog_.pop_front();
    action();
  }
  flush();
}

void BrokerProcess::begin_shutdown() {
  if (!core_ || is_paused_) return;
  world_.log("broker shuts down");
  core_->begin_shutdown(world_.now());
  after_work();
}

void BrokerProcess::run_or_queue(Action action) {
  if (is_paused_) {
    backlog_.push_back(std::move(action));
  } else {
    action();
  }
}

void BrokerProcess::connect(const ConnectionPtr& connection) {
  connection->broker_life = life_;
  if (core_) connections_[connection->handle] = connection;
}

void BrokerProcess::on_frame(const ConnectionPtr& connection, FrameBytes frame) {
  if (!core_ || connection->broker_life != life_) return;
  run_or_queue([this, connection, bytes = std::move(frame)] {
    core_->on_frame(connection->handle, bytes, world_.now());
    after_work();
  });
}

void BrokerProcess::on_gone(const ConnectionPtr& connection) {
  connection->is_gone = true;
  // ROUTER says it only when something is sent; a shell may know earlier.
  if (world_.one_in(2)) lose(connection);
}

void BrokerProcess::lose(const ConnectionPtr& connection) {
  connection->is_gone = true;
  if (!core_ || connection->broker_life != life_) return;
  run_or_queue([this, connection] {
    core_->on_peer_gone(connection->handle, world_.now());
    after_work();
  });
}

/// What a shell logs, and keeps for the next run.
void BrokerProcess::take_events() {
  using Type = broker::CoreEvent::Type;
  for (const broker::CoreEvent& event : core_->take_events()) {
    if (event.type == Type::roster_changed) roster_ = core_->roster();
    if (event.type == Type::draining || event.type == Type::drain_ended) config_.drains = core_->drains();
    if (event.type == Type::session_closed) world_.log("broker: session of {} ends: {}", event.name, event.reason);
    if (event.type == Type::session_opened) world_.log("broker: session of {} opens", event.name);
    if (event.type == Type::recovery_ended) world_.log("broker: recovery ends: {}", event.reason);
  }
}

void BrokerProcess::after_work() {
  take_events();
  flush_soon();
  const TimePoint next = core_->next_wakeup();
  if (next < wake_at_) {
    wake_at_ = next;
    world_.schedule().at(next, [this, life = life_, next] {
      if (life != life_ || wake_at_ != next) return;
      wake_at_ = TimePoint::max();
      run_or_queue([this] { wake(); });
    });
  }
}

void BrokerProcess::wake() {
  core_->on_tick(world_.now(), world_.schedule().wall_now());
  after_work();
}

void BrokerProcess::flush_soon() {
  if (is_flush_due_) return;
  is_flush_due_ = true;
  world_.schedule().after(microseconds(world_.below(300)), [this, life = life_] {
    if (life != life_) return;
    is_flush_due_ = false;
    run_or_queue([this] { flush(); });
  });
}

void BrokerProcess::flush() {
  if (!core_) return;
  core_->flush(*this, world_.now());
  take_events();
  world_.check_broker_bounds();
  const TimePoint next = core_->next_wakeup();
  if (next < wake_at_) after_work();
}

broker::SendStatus BrokerProcess::send(broker::PeerHandle peer, ByteBuffer& buffer) {
  const Bytes frame = buffer.bytes();
  if (peer == kInspector) {
    if (inspected_ != nullptr) inspected_->emplace_back(frame.begin(), frame.end());
    return broker::SendStatus::sent;
  }
  const auto it = connections_.find(peer);
  if (it == connections_.end()) return broker::SendStatus::gone;
  const ConnectionPtr connection = it->second;
  if (connection->is_gone) {
    connections_.erase(it);
    return broker::SendStatus::gone;
  }
  if (connection->is_slow) return broker::SendStatus::full;
  world_.send_to_machine(connection, {frame.begin(), frame.end()});
  return broker::SendStatus::sent;
}

void BrokerProcess::say(Visit& visit, wire::Kind kind, Bytes body) {
  ByteBuffer frame;
  wire::begin_bundle(frame, visit.token);
  wire::EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = ++visit.message_id;
  fields.payload = body;
  (void)wire::append_envelope(frame, fields);
  visit.frames.clear();
  inspected_ = &visit.frames;
  core_->on_frame(kInspector, frame.bytes(), world_.now());
  core_->flush(*this, world_.now());
  inspected_ = nullptr;
}

void BrokerProcess::begin(Visit& visit) {
  wire::Hello hello;
  hello.name = "inspector";
  hello.incarnation = 0xFFFFFFFF;
  hello.credit_bytes = std::uint64_t{1} << 40U;
  say(visit, wire::Kind::hello, wire::encode_body(hello).bytes());
  if (!visit.frames.empty()) visit.token = wire::BundleReader::open(visit.frames.front())->token();
}

void BrokerProcess::end(Visit& visit) { say(visit, wire::Kind::goodbye, {}); }

void BrokerProcess::order(std::string what, std::string key) {
  if (!core_ || is_paused_) return;
  world_.log("an operator orders: {} {}", what, key);
  Visit visit;
  begin(visit);
  say(visit, wire::Kind::operate, wire::encode_body(wire::Operate{std::move(what), std::move(key), "test"}).bytes());
  end(visit);
  after_work();
}

bool BrokerProcess::is_drained(std::uint64_t incarnation) const {
  return std::ranges::find(config_.drains, incarnation) != config_.drains.end();
}

std::vector<wire::DeadLetterRow> BrokerProcess::dead_letters() {
  Visit visit;
  begin(visit);
  std::vector<wire::DeadLetterRow> rows;
  for (bool is_more = true; is_more;) {
    wire::Query query;
    query.what = "dead_letters";
    query.limit = kRows;
    query.after = rows.empty() ? 0 : rows.back().id;
    say(visit, wire::Kind::query, wire::encode_body(query).bytes());
    is_more = false;
    for (const FrameBytes& frame : visit.frames) {
      auto bundle = wire::BundleReader::open(frame);
      while (auto envelope = bundle->next()) {
        if (envelope->kind() != wire::Kind::reply) continue;
        const auto report = wire::decode_body<wire::DeadLetterReport>(envelope->payload());
        if (!report) continue;
        rows.insert(rows.end(), report->rows.begin(), report->rows.end());
        is_more = report->rows.size() == kRows;
      }
    }
  }
  end(visit);
  return rows;
}

}  // namespace parley::sim
