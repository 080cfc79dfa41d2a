// The socket options that both ends of the bus share (PROTOCOL.md §Transport). ZMTP heartbeats stay off: under
// backpressure they kill healthy connections, and sometimes the process.
// The thread that owns the socket.
#pragma once

#include <zmq.hpp>

#include "libmsg/wire/limits.hpp"

namespace parley::net {

inline void set_common_options(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, 1000);
  socket.set(zmq::sockopt::rcvhwm, 1000);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(wire::kMaxFrameBytes));
  socket.set(zmq::sockopt::handshake_ivl, 5000);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 30);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, 10);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, 3);
  socket.set(zmq::sockopt::tcp_maxrt, 15'000);
}

}  // namespace parley::net
