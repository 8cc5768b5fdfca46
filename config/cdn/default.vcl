vcl 4.1;

# Varnish in front of kvs-hls-gateway: a cache that asks the gateway once for each thing, whatever the audience.
# Goes to /etc/varnish/default.vcl (Varnish 7.1 or later). Change what says CHANGE.

import std;

backend gateway {
  .host = "127.0.0.1"; # CHANGE
  .port = "8080";
  .connect_timeout = 2s;
  # Idle cameras need up to startTimeout (8 s) for a first list, clips from KVS minutes for a first byte.
  .first_byte_timeout = 300s;
}

# The same gateway, looked after. While it is not well, those for whom there is an old list do not wait for it; what is
# missing is asked for all the same, as it may just be back.
backend looked_after {
  .host = "127.0.0.1"; # CHANGE
  .port = "8080";
  .probe = {
    .url = "/healthz";
    .interval = 1s;
    .timeout = 5s;
    .window = 4;
    .threshold = 2;
    .initial = 4;
  }
}

acl operators {
  "127.0.0.1"; # CHANGE: from where may be purged
}

sub vcl_recv {
  # curl -X PURGE -H 'xkey: lobby' -H 'X-Cdn-Secret: …' http://cache/ drops all of a stream, with cdn.tagHeader: xkey. The secret
  # (CHANGE: as below) is wanted because behind what speaks TLS on this machine all viewers have its address.
  if (req.method == "PURGE") {
    if (client.ip !~ operators || req.http.X-Cdn-Secret != "secret" || req.http.xkey !~ "^[A-Za-z0-9_.-]+$") {
      return (synth(403));
    }
    ban("obj.http.xkey == " + req.http.xkey);
    return (synth(204));
  }

  # Pages, what feeds them, /healthz: each request its own, with what proves who asks.
  if (req.url !~ "^(/s/[^/]+)?/(hls|hls-ts|dash|clip|web/[0-9a-f]+)/") {
    return (pass);
  }

  if (req.restarts == 0) {
    unset req.http.X-Old;
    # Of a query these alone say what is asked for. All else (CMCD, tokens of analytics) goes no further.
    set req.http.X-Query = "";
    if (req.url ~ "[?&]start=") {
      set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^.*?[?&](start=[^&]*).*$", "\1");
    }
    if (req.url ~ "[?&]end=") {
      set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^.*?[?&](end=[^&]*).*$", "\1");
    }
    if (req.url ~ "[?&]_HLS_skip=") {
      set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^.*?[?&](_HLS_skip=[^&]*).*$", "\1");
    }
    if (req.url ~ "[?&]_HLS_msn=") {
      set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^.*?[?&](_HLS_msn=[^&]*).*$", "\1");
    }
    if (req.url ~ "[?&]_HLS_part=") {
      set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^.*?[?&](_HLS_part=[^&]*).*$", "\1");
    }
    set req.url = regsub(req.url, "\?.*$", "") + regsub(req.http.X-Query, "^&", "?");
    unset req.http.X-Query;

    # A clip is kept by the ranges that players ask for. Of all else there is the whole, and ranges are cut here.
    unset req.http.X-Range;
    if (req.url ~ "/clip/" && req.http.Range) {
      set req.http.X-Range = req.http.Range;
      unset req.http.Range;
    }

    # Nothing of a viewer goes further.
    unset req.http.Cookie;
    unset req.http.Authorization;
    # Answers depend on who asks only where cdn.allowOrigins names some: CHANGE, let the same ones through.
    if (req.http.Origin !~ "^https://player\.example\.com$") {
      unset req.http.Origin;
    }
  }

  # What is old is not looked at, unless there is nothing else: see vcl_hit.
  if (req.http.X-Old == "none") {
    set req.grace = 0s;
  } else {
    set req.grace = 24h;
  }
}

sub vcl_hash {
  hash_data(req.url);
  hash_data(req.http.X-Range);
  return (lookup);
}

sub vcl_hit {
  # There is an old one. While the gateway is well it is asked for a new one, which all wait for; if it is not, or has
  # just failed, the old one has to do, for as long as cdn.staleIfError says.
  if (obj.ttl < 0s && std.healthy(looked_after) && !req.http.X-Old) {
    set req.http.X-Old = "none";
    return (restart);
  }
}

sub vcl_backend_fetch {
  set bereq.http.X-Cdn-Secret = "secret"; # CHANGE: one of auth.secrets
  if (bereq.http.X-Range) {
    set bereq.http.Range = bereq.http.X-Range;
  }
}

sub vcl_backend_response {
  if (beresp.status >= 500 && (bereq.is_bgfetch || bereq.http.X-Old == "none")) {
    return (abandon);
  }
  # Varnish keeps no errors and no parts by itself. The gateway says for how long; half a second has no word there.
  if (beresp.http.Cache-Control ~ "^public, max-age=") {
    set beresp.ttl = std.duration(regsub(beresp.http.Cache-Control, "^public, max-age=([0-9]+).*$", "\1s"), 0s);
    if (beresp.ttl == 0s) {
      set beresp.ttl = 500ms;
    }
  } else {
    set beresp.uncacheable = true;
    set beresp.ttl = 1s;
  }
  set beresp.grace = 0s;
  if (beresp.http.Cache-Control ~ "stale-if-error=") {
    set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, "^.*stale-if-error=([0-9]+).*$", "\1s"), 0s);
  }
  # For so long it may be asked whether an old one is still right: 304.
  set beresp.keep = 1m;
  # Room for clips is not for those of a gigabyte in one piece.
  if (bereq.url ~ "/clip/" && std.integer(beresp.http.Content-Length, 0) > 67108864) {
    set beresp.uncacheable = true;
    set beresp.ttl = 1m;
  }
  # Varnish takes a part for a mistake, as it asked for none itself.
  if (beresp.http.Content-Range) {
    set beresp.http.X-Content-Range = beresp.http.Content-Range;
    unset beresp.http.Content-Range;
  }
}

sub vcl_synth {
  # The gateway failed, and there is an old one.
  if (resp.status == 503 && req.http.X-Old == "none") {
    set req.http.X-Old = "wanted";
    return (restart);
  }
}

sub vcl_backend_error {
  if (bereq.is_bgfetch || bereq.http.X-Old == "none") {
    return (abandon);
  }
  # A connection may have broken that was kept for too long.
  if (bereq.retries == 0) {
    return (retry);
  }
}

sub vcl_deliver {
  if (resp.http.X-Content-Range) {
    set resp.http.Content-Range = resp.http.X-Content-Range;
    unset resp.http.X-Content-Range;
  }
  unset resp.http.Set-Cookie;
  unset resp.http.Via;
  unset resp.http.X-Varnish;
}
