# One agent that is the whole cluster.
node_name        = "frontrow"
datacenter       = "dc1"
data_dir         = "{{.DataDir}}"
bind_addr        = "127.0.0.1"
client_addr      = "127.0.0.1"
server           = true
bootstrap_expect = 1
log_level        = "WARN"

disable_update_check = true

ports {
  http     = {{.Port}}
  server   = {{.ServerPort}}
  serf_lan = {{.SerfPort}}
  serf_wan = -1
  dns      = -1
  grpc     = -1
  grpc_tls = -1
  https    = -1
}

connect {
  enabled = false
}

performance {
  raft_multiplier = 1
}
