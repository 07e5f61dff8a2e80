# verify-image on a small image, signed with openssl the way cosign does it.
@need command:openssl
@need command:python3
$ for k in key other; do openssl ecparam -name prime256v1 -genkey -noout -out $k.pem && openssl ec -in $k.pem -pubout -out $k.pub 2>/dev/null; done
$ "$SOURCE/scripts/demo-image" img example.com/app:v1 key.pem >digest && tr -d '\n' <digest | cut -c1-7
sha256:
$ printf '%s' "$(cat digest)" >digest

# Signed by the key: accepted.
$ cvmbox verify-image oci:img:example.com/app:v1 --key key.pub
image:    oci:img:example.com/app:v1
digest:   sha256:<*>
named:    sha256:<*>
manifest: sha256:<*>
signed:   yes
signers:
...
pass  image.manifest  sha256:<*>
pass  image.signature  cosign signature by key <*>... for 'example.com/app'
pass  image.config  sha256:<*>
pass  image.platform  linux/<*>
pass  image.layer  sha256:<*>
pass  image.diff_id  sha256:<*>
accepted sha256:<*>, signed by key <*>... (key.pub)

# The signature entry is not an image, so no tag is needed; a pinned digest has to be the right one.
$ cvmbox verify-image oci:img --key key.pub >/dev/null
$ cvmbox verify-image "oci:img:example.com/app:v1@$(cat digest)" --key key.pub >/dev/null
$ cvmbox verify-image "oci:img:example.com/app:v1@sha256:$(printf %064d 0)" --key key.pub >/dev/null
2| cvmbox verify-image: cannot accept <*> but the reference pins <*>
? 1

# Another key: refused, and said by whom it should have been.
$ cvmbox verify-image oci:img:example.com/app:v1 --key other.pub
pass  image.manifest  sha256:<*>
fail  image.signature  it is not by this key: <*>
...
REFUSED
2| cvmbox verify-image: cannot accept 'oci:img:example.com/app:v1': none of 1 signature of the image was accepted: it is not by this key: <*>
2| cvmbox verify-image: hint: wanted a signature by key <*>... (other.pub)
? 1

# Either of several keys is enough.
$ cvmbox verify-image oci:img:example.com/app:v1 --key other.pub --key key.pub >/dev/null

# Nobody to ask: usage, also with a pinned digest.
$ cvmbox verify-image oci:img:example.com/app:v1
2| cvmbox verify-image: cannot accept <*>: nothing says whose images to accept: give --key or --policy
2| cvmbox verify-image: hint: <*>insecureAcceptAnything<*>
? 2
$ cvmbox verify-image "oci:img@$(cat digest)"
2| cvmbox verify-image: cannot accept <*>: a digest pins the bytes but does not say that anybody vouches for them: give --key or --policy
2| cvmbox verify-image: hint: <*>
? 2

# Policies.
$ printf '{"default":[{"type":"reject"}],"transports":{"oci":{"%s":[{"type":"sigstoreSigned","keyPath":"%s","signedIdentity":{"type":"exactRepository","dockerRepository":"example.com/app"}}]}}}' "$(pwd -P)" "$(pwd -P)/key.pub" >p.json
$ cvmbox verify-image oci:img:example.com/app:v1 --policy p.json | tail -n1
accepted sha256:<*>, signed by key <*>
$ sed 's,example.com/app,example.com/other,' p.json >other.json; cvmbox verify-image oci:img:example.com/app:v1 --policy other.json | tail -n1
REFUSED
2| cvmbox verify-image: <*>signed for 'example.com/app', but exactRepository wants 'example.com/other'
2| cvmbox verify-image: hint: <*>
$ sed 's,"default","extra":1\,"default",' p.json >bad.json; cvmbox verify-image oci:img:example.com/app:v1 --policy bad.json
NOT ACCEPTED
2| cvmbox verify-image: cannot accept 'oci:img:example.com/app:v1': policy is not valid, so it accepts nothing: <*>extra<*>
? 5
$ cvmbox verify-image oci:img:example.com/app:v1 --policy nowhere.json
NOT ACCEPTED
2| cvmbox verify-image: cannot read policy 'nowhere.json': <*>
? 4
$ echo '{"default":[{"type":"insecureAcceptAnything"}]}' >any.json; cvmbox verify-image oci:img:example.com/app:v1 --policy any.json | grep -e policy -e accepted -e insecure:
warn  image.policy  insecureAcceptAnything
insecure: insecureAcceptAnything
accepted sha256:<*> by policy, NOT SIGNED
$ cvmbox verify-image oci:img:example.com/app:v1 --policy any.json --json | grep -o '"result":"warn","exit_code":0'
"result":"warn","exit_code":0
$ cvmbox verify-image oci:img:example.com/app:v1 --policy any.json --key other.pub | tail -n1
REFUSED
2| ...

# The environment decides nothing.
$ CVMBOX_POLICY=any.json CVMBOX_KEY=key.pub cvmbox verify-image oci:img:example.com/app:v1 2>/dev/null
? 2

# An archive of the same layout.
$ tar -C img -cf img.tar .
$ cvmbox verify-image oci-archive:img.tar:example.com/app:v1 --key key.pub | tail -n1
accepted sha256:<*>, signed by key <*>
$ head -c 3000 img.tar >cut.tar; cvmbox verify-image oci-archive:cut.tar:example.com/app:v1 --key key.pub
NOT ACCEPTED
2| cvmbox verify-image: cannot accept <*> tar archive ends inside <*>
? 5

# One byte of the layer, with a good signature beside it.
$ layer=$(sed 's/.*"layers":[^}]*sha256:\([0-9a-f]*\).*/\1/' img/blobs/sha256/$(cut -c8- digest)); printf 'X' | dd of=img/blobs/sha256/$layer bs=1 seek=12 conv=notrunc 2>/dev/null
$ cvmbox verify-image oci:img:example.com/app:v1 --key key.pub | tail -n2
fail  image.layer  it has the content of <*>
REFUSED
2| cvmbox verify-image: cannot accept 'oci:img:example.com/app:v1': layer 0 <*> has the content of <*>
$ cvmbox verify-image oci:img:example.com/app:v1 --key key.pub --json 2>/dev/null | grep -o '"result":"fail","exit_code":1'
"result":"fail","exit_code":1

# What this version does not read is said, not guessed.
$ cvmbox verify-image docker://example.com/app --key key.pub
2| cvmbox verify-image: 'docker://example.com/app': this version does not read docker:// images
2| cvmbox verify-image: hint: <*>
? 3
$ cvmbox verify-image example.com/app --key key.pub
2| cvmbox verify-image: 'example.com/app' is not an image: wanted oci:DIR[:TAG][@DIGEST] or oci-archive:FILE[:TAG][@DIGEST]
? 2

# Key and policy in a key broker: kbs:/// for --key, --policy and inside the policy; what the broker lacks accepts nothing.
$ sed "s,$(pwd -P)/key.pub,kbs:///default/cosign/pub," p.json >kbs.json; for x in cosign/pub:key.pub cosign/other:other.pub policy/1:kbs.json; do cvmbox kbs put -q --store store default/${x%:*} ${x#*:} >/dev/null; done; \
    echo '{"schema":"cvmbox.policy/1","kinds":["sample"],"measurements":["abcde"]}' >broker.json; \
    (cvmbox kbs serve --store store --policy broker.json --allow-sample -l 127.0.0.1:0 --ready-fd 3 3>url 2>/dev/null >/dev/null & echo $! >pid); \
    for i in $(seq 100); do [ -s url ] && break; sleep 0.05; done; rm -rf img; "$SOURCE/scripts/demo-image" img example.com/app:v1 key.pem | cut -c1-7
sha256:
$ cvmbox verify-image oci:img:example.com/app:v1 --kbs $(cat url) --tee sample --key kbs:///default/cosign/pub | tail -n1
accepted sha256:<*>, signed by key <*> (kbs:///default/cosign/pub)
$ cvmbox verify-image oci:img:example.com/app:v1 --kbs $(cat url) --tee sample --key kbs:///default/cosign/other | tail -n1
REFUSED
$ cvmbox verify-image oci:img:example.com/app:v1 --kbs $(cat url) --tee sample --policy kbs:///default/policy/1 | tail -n1
accepted sha256:<*>, signed by key <*> (kbs:///default/cosign/pub)
$ cvmbox verify-image oci:img:example.com/app:v1 --kbs $(cat url) --tee sample --policy kbs:///default/policy/2
NOT ACCEPTED
2| cvmbox verify-image: cannot read policy 'kbs:///default/policy/2': <*>
2| cvmbox verify-image: hint: <*>
? 6
$ kill $(cat pid)
