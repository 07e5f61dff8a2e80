# Tokens of Arm CCA: somebody has to be trusted

@need vectors

    $ v=$CVMBOX_VECTORS/cpu-tee/cca; n=$(printf 'ab%.0s' $(seq 64)); cvmbox attest verify $v/cca_token.cbor --nonce $n --trust-anchor $v/cca_platform.pub.pem --offline | grep -A 20 ^pass
    pass  evidence.kind  cca
    pass  cca.platform.signature  EC P-384, by a trusted key, SHA-256 of its SubjectPublicKeyInfo <*>
    pass  cca.binding  b5973cb68baa9fc55558786b7ec67f69e40df5ba5aa921cd0c27f40587a011ea
    pass  cca.realm.signature  ES384
    pass  cca.profile  http://arm.com/CCA-SSD/1.0.0
    pass  cca.challenge  abababab<*>
    pass  cca.lifecycle  secured (0x3003)
    skip  the policy names none:
    ...
    accepted
    $ v=$CVMBOX_VECTORS/cpu-tee/cca; n=$(printf 'ab%.0s' $(seq 64)); cvmbox attest verify $v/cca_token.cbor --nonce $n >/dev/null
    2| cvmbox attest: '<*>' is refused: cca.platform.signature: wanted the signature of a platform key that you trust, is no trusted key was given: anybody can have made this token
    ? 1
    $ v=$CVMBOX_VECTORS; cvmbox attest verify $v/cpu-tee/cca/cca_token.cbor --nonce 00 --trust-anchor $v/trustee/cca/cpak-pub.json >/dev/null
    2| cvmbox attest: '<*>' is refused: cca.challenge: wanted 00<*>00, is abab<*>
    ? 1
    $ cvmbox attest verify $CVMBOX_VECTORS/trustee/cca/cca-example-token.cbor --insecure-no-nonce --trust-anchor $CVMBOX_VECTORS/trustee/cca/cpak-pub.json | tail -n 1
    accepted, with warnings
    $ head -c 900 $CVMBOX_VECTORS/cpu-tee/cca/cca_token.cbor >cut; cvmbox attest verify cut --nonce 00
    2| cvmbox attest: cannot verify 'cut': CCA token: not CBOR as wanted here: at byte <*> of 900: a string is longer than what is left
    ? 5

# Trustee's form, and the decoder

    $ python3 -c 'import json, os; t = open(os.environ["CVMBOX_VECTORS"] + "/cpu-tee/cca/cca_token.cbor", "rb").read(); print(json.dumps({"token": list(t)}))' >t.json; \
      cvmbox attest verify t.json --insecure-no-nonce --trust-anchor $CVMBOX_VECTORS/cpu-tee/cca/cca_platform.pub.pem | tail -n 1
    accepted, with warnings
    $ cvmbox attest show t.json | grep -e lifecycle -e '^form:'
    form:                  CBOR tag 399 (collection)
    lifecycle:             0x3003, secured
    $ cvmbox attest collateral t.json -o none --offline; test -e none || echo no folder
    tee:    cca
    folder: none
    collateral: -
    nothing to fetch
    no folder
