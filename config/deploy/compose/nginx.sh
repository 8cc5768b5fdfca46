# Makes of config/cdn/nginx.conf what compose.yaml runs: these nodes, this secret, TLS. Then it becomes nginx.
set -eu
folder=${KVS_HLS_FOLDER:-/etc/kvs-hls}
target=${NGINX_CONF:-/etc/nginx/conf.d/default.conf}
sockets=${NGINX_SOCKETS:-/run}
servers=
for node in $NODES; do servers="$servers server $node;"; done
tls="listen 443 ssl http2; ssl_certificate $folder/tls/cert.pem; ssl_certificate_key $folder/tls/key.pem;"
sed \
  -e "s|server 127.0.0.1:8080;.*|$servers|" \
  -e "s|listen 80;.*|$tls|" \
  -e "s|X-Cdn-Secret \"secret\"|X-Cdn-Secret \"$CDN_SECRET\"|" \
  -e "s|unix:/run/|unix:$sockets/|" \
  "$folder/nginx.conf" >"$target"
cat >>"$target" <<'END'

server {
  listen 80;
  server_name _;
  return 301 https://$host$request_uri;
}
END
# Sockets of an nginx that was killed would be in its way.
rm -f "$sockets"/nginx-kvs-hls-*.sock
exec nginx -g 'daemon off;'
