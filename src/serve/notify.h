// Tells systemd how the service stands, where it is one: a datagram to $NOTIFY_SOCKET (sd_notify(3)).
#pragma once

#include <string>

namespace heed::serve {

void notify(const std::string& state);  // "READY=1", "STOPPING=1"; nothing where nobody listens

}  // namespace heed::serve
