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

# NVIDIA's services: manifests by id, and a responder that knows nobody

    $ printf '%s\n' 'import base64, hashlib, http.server, json, os' \
      'def rim(name):' \
      '    text = open(os.environ["CVMBOX_VECTORS"] + "/nvidia/rims/" + name + ".xml", "rb").read()' \
      '    return json.dumps({"id": name, "rim": base64.b64encode(text).decode(), "sha256": hashlib.sha256(text).hexdigest(), "rim_format": "TCG"}).encode()' \
      'known = {"/v1/rim/" + name: rim(name) for name in ("NV_SWITCH_BIOS_5612_0002_890_9610550001",)}' \
      'class Handler(http.server.BaseHTTPRequestHandler):' \
      '    def answer(self, status, body):' \
      '        open("asked-nv", "a").write("%s %s %s\n" % (self.command, self.path, self.headers.get("Authorization", "-")))' \
      '        self.send_response(status)' \
      '        self.send_header("Content-Length", str(len(body)))' \
      '        self.end_headers()' \
      '        self.wfile.write(body)' \
      '    def do_GET(self): self.answer(200 if self.path in known else 404, known.get(self.path, b"{}"))' \
      '    def do_POST(self):' \
      '        self.rfile.read(int(self.headers["Content-Length"]))' \
      '        self.answer(200, bytes([0x30, 3, 10, 1, 6]))' \
      's = http.server.HTTPServer(("127.0.0.1", 0), Handler)' \
      'open("new", "w").write("http://127.0.0.1:%d" % s.server_port)' \
      'os.rename("new", "url-nv")' \
      's.serve_forever()' >mock-nv.py
    $ python3 mock-nv.py >/dev/null 2>&1 & echo $! >pid-nv; for i in $(seq 100); do [ -e url-nv ] && break; sleep 0.1; done; test -e url-nv
    $ printf '%s\n' 'import base64, json, os' \
      'b = json.load(open("b.json"))' \
      'for kind, name in (("nvgpu", "multi_gpu_hopper"), ("nvswitch", "switch_evidence_ls10")):' \
      '    raw = open(os.environ["CVMBOX_VECTORS"] + "/nvidia/evidence/" + name + ".json", "rb").read()' \
      '    b["evidence"].append({"kind": kind, "data": base64.b64encode(raw).decode()})' \
      'json.dump(b, open("nv.json", "w"))' | python3
    $ printf 'nvapi-secret\n' >key; cvmbox attest collateral nv.json -o nv2.json --rim-url $(cat url-nv) --ocsp-url $(cat url-nv) --no-ocsp --service-key key \
      --now 2026-06-15T00:00:00Z
    tee:    sample
    bundle: nv2.json
    collateral:
    <*>type<*>source<*>fetched<*>product<*>version<*>state<*>from
    <*>nvidia.rim<*>/v1/rim/NV_SWITCH_BIOS_5612_0002_890_9610550001<*>LS10<*>96.10.55.00.01<*>current<*>service
    missing:
    <*>certificate status: left out, as asked for
    <*>- no RIM is published for this driver 590.12: NV_GPU_DRIVER_GH100_590.12
    <*>- no RIM is published for this VBIOS 96.00.A5.00.01: NV_GPU_VBIOS_G520_0200_885_9600A50001
    time: as of 2026-06-15T00:00:00Z (given)
    1 pieces added, 0 of them from the cache; 3 missing
    $ sort asked-nv; rm asked-nv
    GET /v1/rim/NV_GPU_DRIVER_GH100_590.12 Bearer nvapi-secret
    GET /v1/rim/NV_GPU_VBIOS_<*> Bearer nvapi-secret
    GET /v1/rim/NV_SWITCH_BIOS_5612_0002_890_9610550001 Bearer nvapi-secret
    $ cvmbox attest collateral nv2.json -o nv3.json --ocsp-url $(cat url-nv) --rim-url $(cat url-nv) --service-key key
    2| cvmbox attest: cannot get collateral for 'nv2.json': cannot get the status of certificate '<*>CN=GH100 A01 GSP BROM' from 'http://127.0.0.1:<*>': the responder says 'unauthorized'
    ? 6
    $ grep POST asked-nv
    POST / -
    POST / -
    $ test -e nv3.json || echo nothing was written
    nothing was written

# raw evidence: files named by what they are, and found by content again

    $ cvmbox attest collateral $CVMBOX_VECTORS/nvidia/evidence/switch_evidence_ls10.json --rim-url $(cat url-nv) --no-ocsp -o nvdir | tail -n 1; ls nvdir
    1 pieces added, 0 of them from the cache; 1 missing
    NV_SWITCH_BIOS_5612_0002_890_9610550001.xml
    $ cvmbox attest verify $CVMBOX_VECTORS/nvidia/evidence/switch_evidence_ls10.json --collateral nvdir --offline --insecure-no-nonce --now 2026-06-15T00:00:00Z \
      2>/dev/null | grep -e '^....  nvswitch.rim' -e '^....  nvswitch.meas'
    pass  nvswitch.rim.bios of SWITCH-0  31 reference values of LS10 96.10.55.00.01
    pass  nvswitch.rim.bios.dates of SWITCH-0  valid
    fail  nvswitch.rim.bios.ocsp of SWITCH-0  no answer at hand about 3 of 3 certificates  <*>
    pass  nvswitch.measurements of SWITCH-0  31 of 31 are

# NVIDIA's own variables are read, and told apart from what is no URL

    $ rm asked-nv; NVAT_RIM_SERVICE_BASE_URL=$(cat url-nv) NV_ATTESTATION_SERVICE_KEY=nvapi-other cvmbox attest collateral nv.json -o nv4.json --no-ocsp --json >/dev/null; \
      cut -d ' ' -f 3- asked-nv | sort -u
    Bearer nvapi-other
    $ NV_RIM_URL=$(cat url-nv)/v1/rim/ cvmbox attest collateral nv.json --no-ocsp | cmp - nv4.json
    $ NV_RIM_URL=ftp://a cvmbox attest collateral nv.json -o nv5.json
    2| cvmbox attest: cannot use URL 'ftp://a': wanted https://HOST... (or http:// on loopback)
    ? 2
    $ cvmbox attest collateral nv.json -o nv5.json --service-key nowhere
    2| cvmbox attest: --service-key: <*>'nowhere'<*>
    ? 4
    $ kill $(cat pid-nv); cvmbox attest collateral nv2.json -o nv5.json --offline
    2| cvmbox attest: cannot get collateral for 'nv2.json': 'NV_GPU_DRIVER_GH100_590.12': cannot get the reference integrity manifest: <*>--offline was given
    ? 3
