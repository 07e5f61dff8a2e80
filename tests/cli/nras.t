# Tokens of NVIDIA's remote attestation service, made and signed by openssl
@need command:openssl
    $ T=$SOURCE/tests/tools/nras-token; $T keys k.pem test >keys.json; $T keys other.pem test >other.json; $T keys k.pem renamed >renamed.json; \
      $T make k.pem GPU-0 GPU-1 >t.json; $T make other.pem GPU-0 >of-other.json; printf '5a%.0s' $(seq 32) >nonce; head -c 200 t.json >cut.json; \
      RESULT=false MEASRES=fail $T make k.pem GPU-0 >bad.json; RESULT='"true"' $T make k.pem GPU-0 >text.json; ISS=https://nras.example $T make k.pem GPU-0 >foreign.json; \
      NONCE=00 $T make k.pem GPU-0 >another.json; ALG=none $T make k.pem GPU-0 >none.json; ALG=HS256 $T make k.pem GPU-0 >hs256.json; ls *.json | wc -l
    12
    $ cvmbox attest token verify t.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z | tail -n 13
    pass  nras.alg
    pass  nras.key
    pass  nras.signature
    pass  nras.issuer
    pass  nras.time
    pass  nras.nonce
    pass  nras.digests
    pass  nras.names  GPU-0, GPU-1
    pass  nras.overall  true
    skip  the policy names none:
          nras.claims
    time: as of 2026-02-02T02:40:10Z (given)
    accepted
    $ cvmbox attest token verify - --keys keys.json --nonce $(cat nonce) --now 2026-02-02T02:40:10Z --json <t.json | grep -o -e '"result":"pass","exit_code":0' -e '"ueid":"GPU-1"'
    "result":"pass","exit_code":0
    "ueid":"GPU-1"

# Freshness
    $ cvmbox attest token verify t.json --keys keys.json --now 2026-02-02T02:40:10Z >out
    2| cvmbox attest: token 't.json' is refused: nras.nonce: wanted the nonce of the challenge, is not compared: no nonce was given
    ? 1
    $ tail -n 1 out
    refused
    $ cvmbox attest token verify t.json --keys keys.json --now 2026-02-02T02:40:10Z --insecure-no-nonce | tail -n 2
    time: as of 2026-02-02T02:40:10Z (given)
    accepted, with warnings
    $ cvmbox attest token verify t.json --keys keys.json --now 2026-02-02T02:40:10Z --insecure-no-nonce --json | grep -o '"insecure":.*]'
    "insecure":["--insecure-no-nonce"]
    $ cvmbox attest token verify another.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null
    2| cvmbox attest: token 'another.json' is refused: nras.nonce: wanted 5a5a<*>, is overall: 00
    ? 1
    $ cvmbox attest token verify t.json --keys keys.json --nonce-file nonce --now 2026-02-02T03:41:00Z >/dev/null
    2| cvmbox attest: token 't.json' is refused: nras.time: wanted in time, give or take 60 s, is overall: expired: valid from 2026-02-02T02:40:00Z to 2026-02-02T03:40:00Z, the time used is 2026-02-02T03:41:00Z
    ? 1
    $ cvmbox attest token verify t.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:38:59Z >/dev/null
    2| cvmbox attest: token 't.json' is refused: nras.time: <*> not yet valid: from 2026-02-02T02:40:00Z <*>
    ? 1
    $ cvmbox attest token verify t.json --keys keys.json --nonce-file nonce >/dev/null
    2| cvmbox attest: token 't.json' is refused: nras.time: <*> expired: <*>
    ? 1

# Who signed it
    $ cvmbox attest token verify of-other.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null
    2| cvmbox attest: token 'of-other.json' is refused: nras.signature: <*>
    ? 1
    $ cvmbox attest token verify t.json --keys renamed.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null
    2| cvmbox attest: token 't.json' is refused: nras.key: <*> the set has no key 'test'
    ? 1
    $ for f in none hs256; do cvmbox attest token verify $f.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null; done
    2| cvmbox attest: token 'none.json' is refused: nras.alg: wanted ES384, is overall: none
    2| cvmbox attest: token 'hs256.json' is refused: nras.alg: wanted ES384, is overall: HS256
    ? 1
    $ cvmbox attest token verify foreign.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null
    2| cvmbox attest: token 'foreign.json' is refused: nras.issuer: wanted https://nras.attestation.nvidia.com, is overall: https://nras.example
    ? 1
    $ cvmbox attest token verify foreign.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z --issuer https://nras.example | tail -n 1
    accepted

# Its verdict, and a policy's
    $ cvmbox attest token verify bad.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z 2>err | grep -e measres -e overall; cat err
      overall:
        x-nvidia-overall-att-result: no
        measres:              fail
    fail  nras.overall  false  (wanted true)
    cvmbox attest: token 'bad.json' is refused: nras.overall: wanted true, is false
    $ cvmbox attest token verify text.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null
    2| cvmbox attest: token 'text.json' is refused: nras.overall: wanted true, is no boolean
    ? 1
    $ echo '{"schema":"cvmbox.policy/1","nras_claims":{"overall":{"x-nvidia-ver":"3.0"},"detached":{"measres":"success"}}}' >p.json; \
      cvmbox attest token verify t.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z --policy p.json | grep claims
    pass  nras.claims  so
    $ echo '{"version":"4.0","authorization-rules":{"type":"JWT","overall-claims":{},"detached-claims":{"ueid":"GPU-0"}}}' >sdk.json; \
      cvmbox attest token verify t.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z --policy sdk.json >/dev/null
    2| cvmbox attest: token 't.json' is refused: nras.claims: wanted the claims that the policy names, is GPU-1: claim 'ueid' is another
    ? 1
    $ echo '{"schema":"cvmbox.policy/1","checks":{"nras.claims":"require"}}' >r.json; \
      cvmbox attest token verify t.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z --policy r.json >/dev/null
    2| cvmbox attest: token 't.json' is refused: nras.claims: <*>
    ? 1
    $ echo '{"schema":"cvmbox.policy/1","checks":{"nras.signature":"ignore"}}' >i.json; cvmbox attest token verify t.json --keys keys.json --policy i.json
    2| cvmbox attest: <*>checks: 'nras.signature' cannot be 'ignore': without it evidence proves nothing
    2| cvmbox attest: hint: <*>
    ? 5

# Parts that do not belong together: a device token of another bundle
    $ sed 's/.*{/{/' of-other.json >tail; sed 's/\],{.*/],/' t.json | tr -d '\n' >mixed.json; cat tail >>mixed.json; \
      cvmbox attest token verify mixed.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null
    2| cvmbox attest: token 'mixed.json' is refused: nras.signature: <*>GPU-0<*>
    ? 1
    $ $SOURCE/tests/tools/nras-token make k.pem GPU-0 GPU-1 >again.json; sed 's/.*\],{/{/' again.json >tail; sed 's/\],{.*/],/' t.json | tr -d '\n' >mixed.json; cat tail >>mixed.json; \
      cvmbox attest token verify mixed.json --keys keys.json --nonce-file nonce --now 2026-02-02T02:40:10Z >/dev/null
    2| cvmbox attest: token 'mixed.json' is refused: nras.digests: <*>GPU-0: <*>
    ? 1

# Form and usage
    $ cvmbox attest token verify cut.json --keys keys.json --nonce-file nonce >/dev/null
    2| cvmbox attest: cannot read token 'cut.json': attestation token of NVIDIA's service: <*>
    ? 5
    $ echo '[["JWT","a.b.c"],{}]' >empty.json; cvmbox attest token verify empty.json --keys keys.json --nonce-file nonce >/dev/null
    2| cvmbox attest: cannot read token 'empty.json': <*>
    ? 5
    $ cvmbox attest token verify t.json --keys k.pem --nonce-file nonce >/dev/null
    2| cvmbox attest: tokens of NVIDIA's service name their keys: --keys wants a JWK set
    2| cvmbox attest: hint: the service publishes it as /.well-known/jwks.json
    ? 2
    $ cvmbox attest token verify t.json --nonce-file nonce
    2| cvmbox attest: --keys FILE is missing: a token's own header is no reason to trust it
    2| cvmbox attest: hint: <*>
    ? 2
    $ cvmbox attest token verify t.json --keys keys.json --nonce-file nonce --allow-warning
    2| cvmbox attest: --allow-warning is for tokens of a broker, and 't.json' is one of NVIDIA's service
    ? 2
    $ echo a.b.c >ear.jwt; cvmbox attest token verify ear.jwt --keys keys.json --nonce-file nonce
    2| cvmbox attest: --nonce, --issuer and --policy are for tokens of NVIDIA's service, and 'ear.jwt' is none
    ? 2

# The real one of 2025: its key is not published any more
@need vectors
    $ V=$CVMBOX_VECTORS/nvidia/nras; cvmbox attest token verify $V/hopper_v3_detached_eat.json --keys keys.json --now 2025-06-11T00:31:00Z \
      --nonce 931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb 2>&1 >/dev/null | grep -o "refused: nras.key: .* 'nv-eat-kid-prod-2025"
    refused: nras.key: wanted an EC P-384 key of the given set, for each token, is overall: the set has no key 'nv-eat-kid-prod-2025
