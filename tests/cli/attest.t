# Without a TEE
    $ mkdir none && cvmbox attest detect --sysroot none | tail -n 1
    no TEE
    $ mkdir -p none; cvmbox attest detect --sysroot none >/dev/null
    2| cvmbox attest: no TEE found on this machine
    2| cvmbox attest: hint: see 'missing' above
    ? 3
    $ cvmbox attest collect --sysroot none -o x.json
    2| cvmbox attest: no TEE found here: looked for configfs-tsm, /dev/sev-guest, /dev/tdx_guest, CPUID and ACPI CCEL
    2| cvmbox attest: hint: configfs-tsm: sysfs is not mounted: mount -t sysfs sysfs /sys
    ? 3
    $ cvmbox attest collect --sysroot none --tee csv -o x.json
    2| cvmbox attest: evidence of 'csv' cannot be collected
    2| cvmbox attest: hint: this version collects snp, tdx, az-snp-vtpm, az-tdx-vtpm, cca, tpm, sample
    ? 3
    $ cvmbox attest detect --sysroot none --json | grep -c '^{"schema":"cvmbox.attest.detect/1",.*"result":"error","exit_code":3,.*"error":{'
    1
# A machine whose device nodes are there
    $ mkdir -p snp/dev snp/proc && : >snp/dev/sev-guest && cvmbox attest detect --sysroot snp | tail -n 1
    TEE: snp
    $ mkdir -p tdx/dev && : >tdx/dev/tdx_guest && cvmbox attest detect --sysroot tdx | tail -n 1
    TEE: tdx
# A GPU that cannot be asked is no reason to keep quiet
    $ d=gpu/sys/bus/pci/devices/0000:00:06.0; mkdir -p $d && echo 0x10de >$d/vendor && echo 0x2330 >$d/device && echo 0x030200 >$d/class && \
      cvmbox attest collect --sysroot gpu --tee sample -o x.json
    2| cvmbox attest: GPU 0000:00:06.0 gives no evidence: no driver is bound
    2| cvmbox attest: hint: load the nvidia module and bind it, then ask again; --gpus names the GPUs to ask, or none
    ? 3
# Sample evidence: collected, refused unless allowed, and never for another nonce
    $ cvmbox attest collect --tee sample --gpus none --nonce 000102030405060708090a0b0c0d0e0f -o b.json
    nonce:  000102030405060708090a0b0c0d0e0f
    bundle: b.json
    $ cvmbox attest collect --tee sample --gpus none --nonce 000102030405060708090a0b0c0d0e0f -o b.json
    2| cvmbox attest: <*>b.json<*>
    2| cvmbox attest: hint: <*>
    ? 2
    $ cvmbox attest collect --tee sample --gpus none --nonce 00 -o c.json
    2| cvmbox attest: nonce is 1 bytes, wanted 8 to 64
    ? 2
    $ cvmbox attest collect --tee sample --gpus none --nonce zz -o c.json
    2| cvmbox attest: the nonce: <*>
    ? 2
    $ cvmbox attest verify b.json --nonce 000102030405060708090a0b0c0d0e0f | tail -n 9
    pass  evidence.kind  sample
    pass  bundle.nonce  000102030405060708090a0b0c0d0e0f
    pass  bundle.machine  yes
    fail  sample.allowed  sample: anybody can write this evidence  (wanted a real TEE)
            for trying things out only: --allow-sample
    pass  sample.report_data  <*>
    skip  the policy names none:
          sample.measurement
    refused
    $ cvmbox attest verify b.json --nonce 000102030405060708090a0b0c0d0e0f >/dev/null
    2| cvmbox attest: 'b.json' is refused: sample.allowed: wanted a real TEE, is sample: anybody can write this evidence
    ? 1
    $ cvmbox attest verify b.json --nonce 000102030405060708090a0b0c0d0e0f --allow-sample | tail -n 2
    insecure: --allow-sample was given
    accepted, with warnings
    $ echo 000102030405060708090a0b0c0d0e0f >nonce && cvmbox attest verify b.json --nonce-file nonce --allow-sample >/dev/null
    $ cvmbox attest verify b.json --nonce 000102030405060708090a0b0c0d0eff --allow-sample >/dev/null
    2| cvmbox attest: 'b.json' is refused: bundle.nonce: wanted 000102030405060708090a0b0c0d0eff, is 000102030405060708090a0b0c0d0e0f
    ? 1
    $ cvmbox attest verify b.json --allow-sample >/dev/null
    2| cvmbox attest: 'b.json' is refused: bundle.nonce: wanted a nonce to compare with, is 000102030405060708090a0b0c0d0e0f
    ? 1
    $ cvmbox attest verify b.json --allow-sample --insecure-no-nonce >/dev/null
    $ sed 's/000102030405060708090a0b0c0d0e0f/000102030405060708090a0b0c0d0eff/' b.json >forged.json; \
      cvmbox attest verify forged.json --nonce 000102030405060708090a0b0c0d0eff --allow-sample 2>&1 >/dev/null | cut -c1-64
    cvmbox attest: 'forged.json' is refused: sample.report_data: wan
    $ cvmbox attest verify b.json --kind snp --nonce 000102030405060708090a0b0c0d0e0f --allow-sample
    2| cvmbox attest: cannot verify 'b.json': bundle holds 'sample' evidence, wanted 'snp'
    ? 1
    $ head -c 300 b.json >cut.json; cvmbox attest verify cut.json --nonce 00
    2| cvmbox attest: cannot verify 'cut.json': JSON line <*>
    ? 5
    $ cvmbox attest show b.json | sed -n '1p; /^nonce/p; /kind/p'
    format:              evidence bundle
    nonce:               000102030405060708090a0b0c0d0e0f
        kind:          sample
# Trustee's form: the report data is the nonce
    $ cvmbox attest collect --tee sample --gpus none --format trustee --nonce 0102030405
    {"svn":"1","report_data":"AQIDBAU="}
    $ cvmbox attest collect --tee sample --gpus none --format trustee --nonce 0102030405 | \
      cvmbox attest verify - --nonce 0102030405 --allow-sample | tail -n 1
    accepted, with warnings
    $ echo '{"version":1,"tpm_quote":{},"hcl_report":"","vcek":""}' | cvmbox attest verify - --nonce 00
    2| cvmbox attest: cannot verify '-': Azure evidence has no member 'signature'
    ? 5
# Policies
    $ cvmbox attest verify --print-policy >default.json && cvmbox attest verify b.json --policy default.json \
      --nonce 000102030405060708090a0b0c0d0e0f --allow-sample | tail -n 1
    accepted, with warnings
    $ echo '{"schema":"cvmbox.policy/1","measurements":["fedcba"]}' >other.json; \
      cvmbox attest verify b.json --policy other.json --nonce 000102030405060708090a0b0c0d0e0f --allow-sample >/dev/null
    2| cvmbox attest: 'b.json' is refused: sample.measurement: wanted fedcba, is abcde
    ? 1
    $ echo '{"schema":"cvmbox.policy/1","measurement":["abcde"]}' >typo.json; \
      cvmbox attest verify b.json --policy typo.json --nonce 000102030405060708090a0b0c0d0e0f
    2| cvmbox attest: cannot read the policy 'typo.json': <*>measurement<*>
    ? 5
    $ echo '{"schema":"cvmbox.policy/1","checks":{"snp.signature":"ignore"}}' >hole.json; \
      cvmbox attest verify b.json --policy hole.json --nonce 000102030405060708090a0b0c0d0e0f
    2| cvmbox attest: cannot read the policy 'hole.json': checks: 'snp.signature' cannot be 'ignore': without it evidence proves nothing
    2| cvmbox attest: hint: freshness alone can be waived, for one call, by --insecure-no-nonce
    ? 5
# JSON
    $ cvmbox attest verify b.json --json --nonce 000102030405060708090a0b0c0d0e0f 2>/dev/null | \
      grep -o '"result":"fail","exit_code":1\|"id":"sample.allowed","result":"[a-z]*"\|"insecure":\[.*\]'
    "result":"fail","exit_code":1
    "id":"sample.allowed","result":"fail"
    "insecure":[]
    $ cvmbox attest verify b.json --json --allow-sample --nonce 000102030405060708090a0b0c0d0e0f | \
      grep -o '"result":"warn","exit_code":0\|"launch_digest":"[a-z]*"\|"insecure":\[.*\]'
    "result":"warn","exit_code":0
    "launch_digest":"abcde"
    "insecure":["--allow-sample"]
# Use
    $ cvmbox attest verify
    2| cvmbox attest: which evidence? name a FILE, or '-'
2| cvmbox attest: hint: see cvmbox attest verify --help
    ? 2
    $ cvmbox attest verify b.json --nonce 00 --nonce-file nonce
    2| cvmbox attest: --nonce and --nonce-file are two nonces: give one
    ? 2
    $ cvmbox attest token verify absent.jwt --keys n
    2| cvmbox attest: cannot read the keys: <*>
    ? 4
    $ echo nothing >n; cvmbox attest show n
    2| cvmbox attest: cannot show 'n': 8 bytes of no format that this version knows
    2| cvmbox attest: hint: it knows reports and quotes of every kind, event logs, Trustee's and nvattest's evidence JSON, bundles, certificates, revocation lists, TCB info, reference manifests, OCSP answers and tokens
    ? 5
# A clock that cannot be right
    $ mkdir -p late/usr/lib && touch -d 2035-01-01T00:00:00Z late/usr/lib/clock-epoch && cvmbox attest verify b.json --sysroot late \
      --nonce 000102030405060708090a0b0c0d0e0f --allow-sample >/dev/null
    2| cvmbox attest: warning: the clock says <*>, which is before 2035-01-01T00:00:00Z: dates are judged as of then (set the clock, or give --now)
    $ cvmbox attest verify b.json --sysroot late --now 2027-01-01 --nonce 000102030405060708090a0b0c0d0e0f --allow-sample 2>&1 >/dev/null
# Privilege levels and services
    $ cvmbox attest collect --tee sample --gpus none --vmpl 1 -o v.json
    2| cvmbox attest: privilege levels and SVSM services are SEV-SNP's, and this is sample
    ? 2
    $ cvmbox attest collect --tee snp --gpus none --vmpl 4 -o v.json
    2| cvmbox attest: --vmpl is '4', wanted 0 to 3
    ? 2
    $ cvmbox attest collect --tee tdx --gpus none --svsm --format trustee
    2| cvmbox attest: --vmpl and --svsm are for bundles: leave --format trustee out
    ? 2
# What is not mounted is named
    $ mkdir -p bare && cvmbox attest collect --sysroot bare --tee snp --gpus none -o v.json
    2| cvmbox attest: cannot collect snp evidence: cannot get a hardware report: <*>
    2| cvmbox attest: hint: sysfs is not mounted: mount -t sysfs sysfs /sys
    ? 3
    $ mkdir -p old/dev && echo '{"calls":[]}' >old/dev/sev-guest && cvmbox attest collect --sysroot old --tee snp --gpus none -o v.json
    2| cvmbox attest: cannot collect snp evidence: '/dev/sev-guest': the recording does not hold this request
    ? 4
    $ echo '{"calls":[]}' >old/dev/tdx_guest && cvmbox attest collect --sysroot old --tee tdx --gpus none --svsm -o v.json
    2| cvmbox attest: privilege levels and SVSM services are SEV-SNP's, and this is tdx
    ? 2
# Tokens
@need command:openssl
    $ openssl ecparam -name prime256v1 -genkey -noout -out k.pem && openssl ec -in k.pem -pubout -out p.pem 2>/dev/null && \
      openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl ec -pubout -out q.pem 2>/dev/null
    $ cvmbox attest verify b.json --nonce 000102030405060708090a0b0c0d0e0f --allow-sample --ear t.jwt --ear-key k.pem | tail -n 1
    accepted, with warnings
    $ cvmbox attest verify b.json --nonce 000102030405060708090a0b0c0d0e0f --ear refused.jwt --ear-key k.pem >/dev/null 2>&1; ls refused.jwt
    2| <*>refused.jwt<*>
    ? 2
    $ cvmbox attest token verify t.jwt --keys p.pem --allow-warning | tail -n 1
    accepted
    $ cvmbox attest token verify t.jwt --keys p.pem >/dev/null
    2| cvmbox attest: token 't.jwt': submod 'cpu0' is 'warning', wanted 'affirming'
    ? 1
    $ cvmbox attest token verify t.jwt --keys q.pem --allow-warning | tail -n 1
    refused
    $ cvmbox attest token verify t.jwt --keys q.pem --allow-warning >/dev/null 2>&1
    ? 1
    $ cvmbox attest token verify t.jwt --keys p.pem --allow-warning --now 2099-01-01 2>&1 >/dev/null | cut -d, -f1
    cvmbox attest: token 't.jwt': token expired at <*>
    $ cvmbox attest token verify t.jwt
    2| cvmbox attest: --keys FILE is missing: a token's own header is no reason to trust it
    2| cvmbox attest: hint: 'cvmbox kbs token-key' prints the keys of a broker
    ? 2
    $ cvmbox attest show t.jwt | sed -n '1,2p'
    format:            attestation token (EAR)
    signature_checked: no
# Real reports, at their dates
@need vectors
    $ S=$CVMBOX_VECTORS/cpu-tee/snp; cvmbox attest verify $S/milan-v3.report.bin --certs $S/milan-v3.vcek-a.pem --now 2026-01-01 \
      --nonce $(printf '00%.0s' $(seq 64)) | tail -n 2
    time: as of 2026-01-01T00:00:00Z (given)
    accepted, with warnings
    $ S=$CVMBOX_VECTORS/cpu-tee/snp; cvmbox attest verify $S/milan-v3.report.bin --certs $S/milan-v3.vcek-a.pem --now 2025-01-01 \
      --nonce $(printf '00%.0s' $(seq 64)) 2>&1 >/dev/null | grep -o "refused: snp.chain"
    refused: snp.chain
    $ S=$CVMBOX_VECTORS/cpu-tee/snp; mkdir certs && cp $S/turin-v5.vcek.pem $S/milan-v3.vcek-a.pem n certs && \
      cvmbox attest verify - --certs certs --now 2026-03-01 --insecure-no-nonce <$S/turin-v5.report.bin | tail -n 1
    accepted, with warnings
    $ S=$CVMBOX_VECTORS/cpu-tee/snp; cvmbox attest verify $S/milan-v2-debug.report.bin --certs $S/milan-v2-debug.vcek.der \
      --now 2023-01-01 --nonce 0102030405 >/dev/null
    2| cvmbox attest: <*> is refused: snp.policy.debug: wanted off, is on
    ? 1
    $ head -c 1183 $CVMBOX_VECTORS/cpu-tee/snp/milan-v3.report.bin >cut.bin; cvmbox attest verify cut.bin --nonce 00
    2| cvmbox attest: cannot verify 'cut.bin': report is 1183 bytes, need 1184
    2| cvmbox attest: hint: was the file cut off, or saved as text?
    ? 5
    $ cvmbox attest verify $CVMBOX_VECTORS/cpu-tee/tdx/gotdx-v5.quote.bin --nonce 00 --now 2026-03-20 >/dev/null
    2| cvmbox attest: <*> is refused: tdx.tcbinfo: wanted <*> FMSPC 90c06f000000, signed and current, is none
    ? 1
    $ X=$CVMBOX_VECTORS/cpu-tee/tdx; for f in $X/coll2026-*; do set -- "$@" --collateral $f; done; cvmbox attest verify $X/gotdx-v5.quote.bin \
      "$@" --now 2026-03-20 --insecure-no-nonce | sed -n '/tcb_status/p; $p'
      tcb_status:                   UpToDate
    accepted, with warnings
    $ cvmbox attest verify $CVMBOX_VECTORS/trustee/sgx/occlum_quote.dat --nonce 00
    2| cvmbox attest: <*> this is an SGX quote (version 3), the evidence of an enclave and not of a virtual machine
    2| cvmbox attest: hint: of Intel's quotes TDX ones are read, versions 4 and 5
    ? 3
    $ cvmbox attest verify $CVMBOX_VECTORS/trustee/snp/e2e-evidence.json --now 2025-12-01 --insecure-no-nonce | tail -n 1
    accepted, with warnings
    $ cvmbox attest show $CVMBOX_VECTORS/trustee/csv/csv_evidence.json
    2| cvmbox attest: cannot show '<*>': this is evidence of kind 'csv', which this version cannot read
    2| cvmbox attest: hint: <*>
    ? 3
    $ A=$CVMBOX_VECTORS/cpu-tee; cvmbox attest verify $A/azure/az-tdx-live.json --insecure-no-nonce --collateral $A/tdx --now 2026-03-20T00:00:00Z | grep -c '^pass  [a-z._]*$'
    0
    ? 1
    $ A=$CVMBOX_VECTORS/cpu-tee; gzip -dc $A/eventlog/ars-live.ccel.bin.gz >ccel; cvmbox attest verify $A/snp/turin-v5.report.bin --certs $A/snp/turin-v5.vcek.pem --event-log ccel --insecure-no-nonce --now 2026-03-20T00:00:00Z | grep -A 1 'event log'
    skip  the event log was not looked at: snp evidence has no registers to hold it against:
          evidence.log
    $ A=$CVMBOX_VECTORS/cpu-tee; cvmbox attest verify $A/tdx/ars-live.quote.bin --event-log $A/eventlog/ubuntu-2404-amd-sevsnp.bin --insecure-no-nonce --insecure-no-collateral --now 2026-04-01T00:00:00Z 2>&1 | grep -A 1 '^fail'
    fail  eventlog.replay  <*>
            the log speaks of PCRs, so it is that of a TPM: the one of the TEE is in ACPI table CCEL
    $ cvmbox attest show $CVMBOX_VECTORS/cpu-tee/snp/turin-v5.report.bin | sed -n '/product/p; /chip_id/p'
    product:             Turin
    chip_id:             59790fb1c39f35c1
