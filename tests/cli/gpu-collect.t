# Evidence of GPUs.  machine DIR BDF.. makes a fake sysfs with the nvidia driver bound.
    $ printf '%s\n' 'r=$1; n=0; shift; mkdir -p $r/dev' \
      'for b; do d=$r/sys/bus/pci/devices/$b; mkdir -p $d $r/sys/bus/pci/drivers/nvidia; ln -sfn ../../drivers/nvidia $d/driver' \
      'echo 0x10de >$d/vendor; echo 0x2330 >$d/device; echo 0x030200 >$d/class; : >$r/dev/nvidia$n; n=$((n + 1)); done' >machine
# record.py CAPS N NONCE REPORT CHAIN: what a driver with N GPUs at 41:00.0, 42:00.0 .. answered; only that nonce was ever asked.  CHAIN "-": nobody
# ever asked for a certificate or a report.
    $ printf '%s\n' 'import json, sys' \
        'caps, n, nonce, report, chain = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]' \
        'le = lambda v, k=4: v.to_bytes(k, "little")' \
        'hx = lambda b: b.rstrip(b"\0").hex()' \
        'calls = [{"nr": 210, "size": 72, "in": "32", "out": hx(le(0x32) + le(1) + b"580.159.04")}]' \
        'new = lambda cls, params, handle, **more: calls.append({"nr": 43, "cls": cls, "params": hx(params), "handle": handle, **more})' \
        'ask = lambda o, cmd, size, i, out: calls.append({"nr": 42, "object": o, "cmd": cmd, "size": size, "in": hx(i), "out": hx(out)})' \
        'new(0x41, b"", 0x11), new(0xcb33, b"\x11", 0x12)' \
        'cards = b""' \
        'for k in range(n):' \
        '    sub, gpu = 0x200 + k, 0x100 * k + 6' \
        '    cards += (le(1) + le(0) + bytes([0x41 + k, 0, 0, 0]) + le(0x10de, 2) + le(0x2330, 2) + le(gpu)).ljust(56, b"\0") + le(k) + bytes(12)' \
        '    ask(0x11, 0x205, 32, le(gpu), le(gpu) + le(0) + le(k))' \
        '    new(0x80, le(k), 0x100 + k), new(0x2080, b"", sub, parent=0x100 + k)' \
        '    ask(0x11, 0x275, 268, le(gpu), bytes(8) + b"GPU-0123456%d-89ab-cdef-0123-456789abcdef" % k)' \
        '    ask(sub, 0x20800110, 68, b"", bytes(4) + b"TEST")' \
        '    ask(sub, 0x20800810, 124, le(2) + bytes(8) + le(1), le(2) + le(0) + le(0x9600cf00) + le(1) + le(1))' \
        '    ask(sub, 0x20801701, 16, b"", le(0x180))' \
        '    ask(0x12, 0xcb330106, 24, le(sub), le(sub))' \
        '    if chain != "-":' \
        '        pem, rep, want = open(chain, "rb").read(), bytes.fromhex(open(report).read()), bytes.fromhex(nonce)' \
        '        rep = rep[:4] + want + rep[36:]' \
        '        ask(0x12, 0xcb330109, 9228, le(sub), (le(sub) + bytes(4096) + le(4096) + pem).ljust(9224, b"\0") + le(len(pem)))' \
        '        ask(0x12, 0xcb33010a, 12336, le(sub) + want, (le(sub) + want + rep).ljust(8228, b"\0") + le(len(rep)))' \
        'calls.append({"nr": 200, "size": 2304, "in": "", "out": hx(cards)})' \
        'ask(0x12, 0xcb330101, 6, b"", bytes.fromhex(caps)), ask(0x12, 0xcb330104, 1, b"", b"")' \
        'print(json.dumps({"calls": calls}))' >record.py
# no GPU at all
    $ mkdir -p e/sys/bus/pci/devices && cvmbox attest collect --sysroot e --tee none -o x.json
    2| cvmbox attest: no NVIDIA GPU here, and --tee none leaves nothing else to ask
    ? 3
    $ cvmbox attest collect --sysroot e --tee sample --gpus all -o x.json
    2| cvmbox attest: no NVIDIA GPU on the PCI bus
    2| cvmbox attest: hint: in a VM: was the GPU passed through?
    ? 3
    $ cvmbox attest collect --sysroot e --tee sample -o x.json | head -n 1 | cut -c 1-6; ls x.json
    nonce:
    x.json
    $ cvmbox attest collect --sysroot e --tee none --gpus none -o y.json
    2| cvmbox attest: --tee none and --gpus none leave nothing to collect
    ? 2
    $ cvmbox attest collect --sysroot e --tee nvgpu -o y.json
    2| cvmbox attest: 'nvgpu' is no TEE but devices in a machine
    2| cvmbox attest: hint: --tee none collects the evidence of GPUs alone
    ? 2
# confidential mode off: said for which GPU, before anything is asked that could harm one
    $ sh machine r 0000:41:00.0 0000:42:00.0 && python3 record.py 000200000000 2 - - - >r/dev/nvidiactl && \
      cvmbox attest collect --sysroot r --tee none -o y.json
    2| cvmbox attest: confidential mode is off on GPU 0000:41:00.0, and on the 1 other
    2| cvmbox attest: hint: it is switched on from the host ('cvmbox gpu-ccmode set on --all'); --gpus none leaves GPUs out
    ? 3
    $ ls y.json 2>/dev/null; cvmbox attest collect --sysroot r --tee none --gpus 42:00.0 -vv -o y.json 2>log; echo $?; \
      grep -c 'command 0xcb330101' log; grep -c -i -e certificate -e report -e 0xcb330109 -e 0xcb33010a log; tail -n 2 log | head -n 1
    3
    1
    0
    cvmbox attest: confidential mode is off on GPU 0000:42:00.0
# one that is named and not there, and words that are no addresses
    $ cvmbox attest collect --sysroot r --tee none --gpus 41:00.0,77:00.0 -o y.json
    2| cvmbox attest: no NVIDIA GPU at '77:00.0'
    2| cvmbox attest: hint: 'cvmbox gpu-ccmode query' lists those of this machine
    ? 3
    $ cvmbox attest collect --sysroot r --tee none --gpus GPU-0 -o y.json
    2| cvmbox attest: --gpus: 'GPU-0' is not a PCI address
    2| cvmbox attest: hint: write it as '0000:41:00.0' or '41:00.0'; 'gpu-ccmode query' lists them
    ? 2
# confidential mode on: a certificate and a report of each GPU, asked once
    $ python3 -c 'print("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----")' >chain; python3 -c 'print("11e001ff" + "00" * 33 + "a5" * 900)' >report; \
      n=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f; python3 record.py 030202020000 2 $n report chain >r/dev/nvidiactl; \
      cvmbox attest collect --sysroot r --format nvattest --nonce $n -vv -o g.json >/dev/null 2>log; echo $?; \
      grep -c 'command 0xcb330109 of 9228 bytes, .*: ok' log; grep -c 'command 0xcb33010a of 12336 bytes, .*: ok' log; \
      python3 -c 'import json,base64; j=json.load(open("g.json")); print([(d["arch"], d["nonce"][:8], d["bdf"], d["uuid"][:12], d["driver_version"], \
      d["vbios_version"], len(base64.b64decode(d["evidence"])), base64.b64decode(d["certificate"])[:10]) for d in j])'
    0
    2
    2
    [('HOPPER', '00010203', '0000:41:00.0', 'GPU-01234560', '580.159.04', '96.00.CF.00.01', 937, b'-----BEGIN'), ('HOPPER', '00010203', '0000:42:00.0', 'GPU-01234561', '580.159.04', '96.00.CF.00.01', 937, b'-----BEGIN')]
    $ n=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f; cvmbox attest collect --sysroot r --format nvattest --gpus 42:00.0 --nonce $n | \
      python3 -c 'import json,sys; print([d["bdf"] for d in json.load(sys.stdin)])'
    ['0000:42:00.0']
    $ cvmbox attest collect --sysroot r --format nvattest --nonce 00112233445566778899 -o y.json
    2| cvmbox attest: nonce is 10 bytes, wanted the 32 of a GPU report
    ? 2
    $ cvmbox attest collect --sysroot r --format nvattest --gpus none -o y.json
    2| cvmbox attest: --format nvattest holds the evidence of GPUs: leave --gpus none out
    ? 2
    $ cvmbox attest collect --sysroot r --format trustee --tee none -o y.json
    2| cvmbox attest: --format trustee holds the evidence of a TEE: leave --tee none out, or take --format nvattest
    ? 2
# in a bundle the GPUs' nonce derives from the nonce and the runtime data, and the CPU's report data holds the hash of their evidence
    $ echo key >runtime; python3 -c 'import json,hashlib,base64; print(hashlib.sha256(json.dumps({"nonce": "aa" * 16, \
      "runtime_data": base64.b64encode(b"key\n").decode(), "schema": "cvmbox.bundle/1", "use": "nvgpu"}, sort_keys=True, separators=(",", ":")).encode()).hexdigest())' >gn; \
      python3 record.py 030202020000 2 $(cat gn) report chain >r/dev/nvidiactl; \
      cvmbox attest collect --sysroot r --tee sample --nonce aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --runtime-data runtime --json -o b.json >out; echo $?; \
      python3 -c 'import json; j=json.load(open("out"))["claims"]; print(j["gpu_nonce"] == open("gn").read().strip(), j["gpu_seconds"] < 10, j["seconds"] < 10, j["bytes"] > 5000); \
      b=json.load(open("b.json")); print([e["kind"] for e in b["evidence"]], [(g["device"], g["cc_mode"]) for g in b["machine"]["gpus"]])'
    0
    True True True True
    ['sample', 'nvgpu'] [('0000:41:00.0', 'on'), ('0000:42:00.0', 'on')]
    $ python3 -c 'import json,hashlib,base64; b=json.load(open("b.json")); e=[base64.b64decode(x["data"]) for x in b["evidence"]]; \
      jcs=lambda x: json.dumps(x, sort_keys=True, separators=(",", ":")).encode(); want=hashlib.sha512(jcs({"nonce": b["nonce"], "runtime_data": b["runtime_data"], \
      "schema": b["schema"], "others": [{"kind": "nvgpu", "sha384": hashlib.sha384(e[1]).hexdigest()}]})).digest(); \
      print(base64.b64decode(json.loads(e[0])["report_data"]) == want)'
    True
    $ cvmbox attest collect --sysroot r --tee none --nonce aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --runtime-data runtime -o c.json >out; echo $?; head -n 1 out; \
      python3 -c 'import json; print([e["kind"] for e in json.load(open("c.json"))["evidence"]])'
    0
    gpus: -
    ['nvgpu']
    $ cvmbox attest collect --sysroot r --tee sample --gpus none --nonce aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --runtime-data runtime -o d.json >out; \
      python3 -c 'import json; print([e["kind"] for e in json.load(open("d.json"))["evidence"]])'
    ['sample']
# one GPU that does not answer, and nothing is written
    $ rm r/dev/nvidia1; cvmbox attest collect --sysroot r --tee none --nonce aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --runtime-data runtime -o y.json
    2| cvmbox attest: GPU 0000:42:00.0 gives no evidence: device node missing: '/dev/nvidia1' does not exist
    2| cvmbox attest: hint: 'nvidia-modprobe -c 0' makes the nodes; a container has to be given them; --gpus names the GPUs to ask, or none
    ? 3
    $ : >r/dev/nvidia1; cvmbox attest collect --sysroot r --tee none --nonce bb -o y.json
    2| cvmbox attest: nonce is 1 bytes, wanted 8 to 64
    ? 2
    $ cvmbox attest collect --sysroot r --tee none --nonce bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb -o y.json 2>err; echo $?; ls y.json 2>/dev/null; grep -c 'GPU 0000:4[12]:00.0 gives no evidence: CONF_COMPUTE_GET_GPU_ATTESTATION_REPORT: ' err
    4
    1
# protected PCIe: the switches belong to it
    $ d=r/sys/bus/pci/devices/0000:07:00.0; mkdir -p $d; echo 0x10de >$d/vendor; echo 0x22a3 >$d/device; echo 0x068000 >$d/class; \
      python3 record.py 030202000001 2 $(cat gn) report chain >r/dev/nvidiactl; \
      cvmbox attest collect --sysroot r --tee none --nonce aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --runtime-data runtime -o y.json 2>err; echo $?; \
      grep -o 'evidence of its 1 NVSwitch is wanted too' err; grep -c "collect-evidence --device nvswitch --nonce $(cat gn)' makes it; then --nvswitch-evidence" err
    2
    evidence of its 1 NVSwitch is wanted too
    1
    $ cvmbox attest collect --sysroot r --tee none --nvswitch-evidence g.json -o y.json
    2| cvmbox attest: --nvswitch-evidence was made for a nonce: give --nonce too
    ? 2
    $ echo '[]' >s.json; cvmbox attest collect --sysroot r --tee none --nonce aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --nvswitch-evidence s.json -o y.json 2>err; echo $?; cut -c 1-60 err
    5
    cvmbox attest: cannot read the evidence of NVSwitches: <*>
# real data: the exchange recorded on an H100 without confidential mode stops before certificate and report, which it holds
    @need vectors
    $ sh machine h 0000:00:06.0 && cp "$CVMBOX_VECTORS/nvidia/ioctl/h100-580.159.04-cc-off.json" h/dev/nvidiactl && \
      cvmbox attest collect --sysroot h --tee none -vv -o y.json 2>log; echo $?; tail -n 2 log; \
      grep -c 'command 0xcb330101' log; grep -c -i -e certificate -e attestation_report -e 0xcb330109 -e 0xcb33010a log; true
    3
    cvmbox attest: confidential mode is off on GPU 0000:00:06.0
    cvmbox attest: hint: it is switched on from the host ('cvmbox gpu-ccmode set on --all'); --gpus none leaves GPUs out
    1
    0
# a real report and chain, given by the recorded driver for the nonce that they answer
    $ v="$CVMBOX_VECTORS/nvidia"; n=5bb22e377702d4e1e8215a903ba094826b9ac7f731dee1fe8102958bf2840aca; sh machine q 0000:41:00.0; \
      python3 record.py 030202020000 1 $n $v/reports/hopper-580.159.03.report.hex $v/reports/hopper-580.159.03.chain.pem >q/dev/nvidiactl; \
      cvmbox attest collect --sysroot q --format nvattest --nonce $n --json -o q.json | python3 -c 'import json,sys; j=json.load(sys.stdin)["claims"]; \
      print([(g["bdf"], g["architecture"], g["driver_version"], g["vbios_version"], g["report_bytes"]) for g in j["gpus"]])'; \
      python3 -c 'import json,base64,sys; print(base64.b64decode(json.load(open("q.json"))[0]["evidence"]).hex() == open(sys.argv[1]).read().strip())' $v/reports/hopper-580.159.03.report.hex
    [('0000:41:00.0', 'HOPPER', '580.159.03', '<*>', 4130)]
    True
# Trustee's pair: H({"nonce"}) is what the GPUs are bound to, H({"additional-evidence","nonce"}) the CPU
    $ v="$CVMBOX_VECTORS/nvidia"; n=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; g=$(printf '{"nonce":"%s"}' $n | sha384sum | cut -c 1-64); \
      python3 record.py 030202020000 1 $g $v/reports/hopper-580.159.03.report.hex $v/reports/hopper-580.159.03.chain.pem >q/dev/nvidiactl; \
      cvmbox attest collect --sysroot q --tee sample --format trustee --nonce $n | python3 -c 'import json,sys,hashlib,base64; j=json.load(sys.stdin); \
      a=j["additional_evidence"]; d=json.loads(a)["nvidia"]["device_evidence_list"]; print(sorted(j), len(d), d[0]["arch"]); \
      want=hashlib.sha384(json.dumps({"additional-evidence": a, "nonce": "aa" * 16}, sort_keys=True, separators=(",", ":")).encode()).digest(); \
      print(base64.b64decode(j["primary_evidence"]["report_data"])[:48] == want)'
    ['additional_evidence', 'primary_evidence'] 1 HOPPER
    True
# switches from a file: for this nonce, and switches
    $ v="$CVMBOX_VECTORS/nvidia"; n=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[0]["nonce"])' $v/evidence/switch_evidence_ls10.json); \
      python3 record.py 030202000001 1 $n $v/reports/hopper-580.159.03.report.hex $v/reports/hopper-580.159.03.chain.pem >q/dev/nvidiactl; \
      cvmbox attest collect --sysroot q --format nvattest --nonce $n --nvswitch-evidence $v/evidence/switch_evidence_ls10.json | \
      python3 -c 'import json,sys; print([d["arch"] for d in json.load(sys.stdin)])'; \
      cvmbox attest collect --sysroot q --tee none --nonce $n --nvswitch-evidence $v/evidence/switch_evidence_ls10.json -o y.json 2>err; echo $?; \
      grep -o 'the report of SWITCH-0 answers nonce' err; cvmbox attest collect --sysroot q --format nvattest --nonce $n --nvswitch-evidence q.json -o y.json
    ['HOPPER', 'LS10']
    1
    the report of SWITCH-0 answers nonce
    2| <*>the evidence of NVSwitches holds GPU-0, which is none
    ? 1
