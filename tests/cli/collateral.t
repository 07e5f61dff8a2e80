# What verification needs, from services; then verified without a network

@need command:python3

    $ cvmbox attest collateral
    2| cvmbox attest: <*>
    2| cvmbox attest: hint: <*>
    ? 2
    $ echo nothing >x; cvmbox attest collateral x -o d
    2| cvmbox attest: cannot get collateral for 'x': 8 bytes are no evidence that this version knows
    2| cvmbox attest: hint: it knows bundles, and <*>
    ? 5
    $ cvmbox attest collateral x --pccs https://a --pcs https://b -o d
    2| cvmbox attest: --pccs takes the place of --pcs and --root-crl: give one or the others
    ? 2
    $ cvmbox attest collateral x --product milan -o d
    2| cvmbox attest: option --product: 'milan' is not Milan, Genoa or Turin
    ? 2
    $ cvmbox attest collateral x --kds ftp://a -o d
    2| cvmbox attest: cannot use URL 'ftp://a': wanted https://HOST... (or http:// on loopback)
    ? 2

# Kinds that need nothing are passed on as they are

    $ cvmbox attest collect --tee sample --gpus none --nonce 000102030405060708090a0b0c0d0e0f -o b.json >/dev/null; \
      cvmbox attest collateral b.json -o b2.json --offline && cmp b.json b2.json
    tee:    sample
    bundle: b2.json
    collateral: -
    nothing to fetch
    $ cvmbox attest collateral b.json --offline | cmp - b.json
    $ cvmbox attest collateral b.json -o b2.json --offline
    2| cvmbox attest: <*>'b2.json' exists already
    2| cvmbox attest: hint: <*>
    ? 2

@need vectors

# A service of our own, with Intel's documents and AMD's certificates

    $ printf '%s\n' 'import http.server, os, urllib.parse' \
      'read = lambda name: open(os.environ["CVMBOX_VECTORS"] + "/cpu-tee/tdx/" + name, "rb").read()' \
      'chain = lambda name: urllib.parse.quote(read(name).decode(), safe="")' \
      'T, S = "/tdx/certification/v4/", "/sgx/certification/v4/"' \
      'known = {T + "tcb?fmspc=90c06f000000": (read("coll2026-tcb_info_90c06f000000.json"), "TCB-Info-Issuer-Chain", "coll2026-tcb_signing_chain.pem"),' \
      '    T + "qe/identity": (read("coll2026-td_qe_identity.json"), "SGX-Enclave-Identity-Issuer-Chain", "coll2026-qe_identity_signing_chain.pem"),' \
      '    S + "pckcrl?ca=platform&encoding=der": (read("coll2026-pck_crl_platform.der").hex().encode(), None, None),' \
      '    S + "rootcacrl": (read("coll2026-root_ca_crl.der").hex().encode(), None, None)}' \
      'class Handler(http.server.BaseHTTPRequestHandler):' \
      '    def do_GET(self):' \
      '        open("asked", "a").write(self.path + chr(10))' \
      '        body, name, text = known.get(self.path, (b"<html>not here</html>", None, None))' \
      '        self.send_response(200 if self.path in known else 404)' \
      '        self.send_header("Content-Length", str(len(body)))' \
      '        if name: self.send_header(name, chain(text))' \
      '        self.end_headers()' \
      '        self.wfile.write(body)' \
      's = http.server.HTTPServer(("127.0.0.1", 0), Handler)' \
      'open("new", "w").write("http://127.0.0.1:%d" % s.server_port)' \
      'os.rename("new", "url")' \
      's.serve_forever()' >mock.py
    $ python3 mock.py >/dev/null 2>&1 & echo $! >pid; for i in $(seq 100); do [ -e url ] && break; sleep 0.1; done; test -e url
    $ q=$CVMBOX_VECTORS/cpu-tee/tdx/gotdx-v5.quote.bin; cvmbox attest collateral $q --pccs $(cat url) --now 2026-03-20T00:00:00Z -o tdx --cache-dir cache
    tee:    tdx
    folder: tdx
    collateral:
    <*>type<*>source<*>fetched<*>valid_from<*>valid_until<*>age_s<*>state<*>from
    <*>tdx.tcbinfo<*>/tdx/certification/v4/tcb?fmspc=90c06f000000<*>2026-03-16T22:06:09Z  2026-04-15T22:06:09Z<*>266031<*>current<*>service
    <*>x509.certs<*>current<*>service
    <*>tdx.qeidentity<*>current<*>service
    <*>x509.crl<*>current<*>service
    <*>x509.crl<*>current<*>service
    time: as of 2026-03-20T00:00:00Z (given)
    5 pieces added, 0 of them from the cache
    $ sort asked; ls tdx
    /sgx/certification/v4/pckcrl?ca=platform&encoding=der
    /sgx/certification/v4/rootcacrl
    /tdx/certification/v4/qe/identity
    /tdx/certification/v4/tcb?fmspc=90c06f000000
    pck.crl
    qe_identity.json
    root_ca.crl
    tcb_info.json
    tcb_info_issuer_chain.pem
    $ q=$CVMBOX_VECTORS/cpu-tee/tdx/gotdx-v5.quote.bin; cvmbox attest verify $q --offline --now 2026-03-20T00:00:00Z --insecure-no-nonce --collateral tdx | tail -n 1
    accepted, with warnings

# what does not exist is said in words

    $ cvmbox attest collateral $CVMBOX_VECTORS/cpu-tee/tdx/dcap-v4.quote.bin --pccs $(cat url)/sgx/certification/v4/ -o none
    2| cvmbox attest: cannot get collateral for '<*>': cannot get TCB info: nobody there knows TDX TCB info for FMSPC b0c06f000000 (status 404)
    2| cvmbox attest: hint: typical of hardware before its release, and of a PCCS that was not filled
    ? 3
    $ cvmbox attest collateral $CVMBOX_VECTORS/cpu-tee/snp/milan-v3.report.bin --kds $(cat url) -o none
    2| cvmbox attest: cannot get collateral for '<*>': cannot get the VCEK: AMD knows no VCEK for this chip and TCB (status 404): product Milan, chip id <*>
    2| cvmbox attest: hint: <*>
    ? 3
    $ cvmbox attest collateral $CVMBOX_VECTORS/cpu-tee/snp/milan-v3-vlek.report.bin --kds $(cat url) -o none
    2| cvmbox attest: cannot get collateral for '<*>': the report is signed by a VLEK, and AMD gives VLEK certificates to providers only
    2| cvmbox attest: hint: <*>
    ? 3
    $ cvmbox attest collateral $CVMBOX_VECTORS/cpu-tee/snp/milan-v3.report.bin --kds $(cat url)
    2| cvmbox attest: cannot get collateral for '<*>': raw evidence has no place for collateral: -o FOLDER, for verify --collateral FOLDER
    2| cvmbox attest: hint: <*>
    ? 2
    $ test -e none || echo nothing was written
    nothing was written

# without the service: the cache, as long as what it holds is valid

    $ kill $(cat pid); sleep 0.3; q=$CVMBOX_VECTORS/cpu-tee/tdx/gotdx-v5.quote.bin; \
      cvmbox attest collateral $q --pccs $(cat url) --now 2026-03-20T00:00:00Z -o again --cache-dir cache --offline | tail -n 1; diff -r tdx again
    5 pieces added, 5 of them from the cache
    $ q=$CVMBOX_VECTORS/cpu-tee/tdx/gotdx-v5.quote.bin; cvmbox attest collateral $q --pccs $(cat url) --now 2026-05-01T00:00:00Z -o late --cache-dir cache
    2| cvmbox attest: <*>cannot get TCB info: cannot read <*>connect<*>
    2| cvmbox attest: hint: <*>
    ? 4
    $ q=$CVMBOX_VECTORS/cpu-tee/tdx/gotdx-v5.quote.bin; cvmbox attest collateral $q --now 2026-03-20T00:00:00Z -o late --offline --json
    {"schema":"cvmbox.attest.collateral/1",<*>"result":"error","exit_code":3,<*>--offline was given<*>
    ? 3
