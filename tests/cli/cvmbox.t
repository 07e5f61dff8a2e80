# The one binary: version, list, help, install, usage errors.
    $ cvmbox --version
    cvmbox <*>
    $ cvmbox --list | sort -c && cvmbox --list | grep -x attest
    attest
    $ cvmbox --nope
    2| cvmbox: unknown applet '--nope'
    2| cvmbox: hint: cvmbox --list names them
    ? 2
    $ cvmbox nope
    2| cvmbox: unknown applet 'nope'
    2| cvmbox: hint: cvmbox --list names them
    ? 2
    $ cvmbox | head -n 1
    cvmbox <*>: takes a confidential VM from an untrusted host to serving a private model
# an applet with verbs prints them, but does not end with 0
    $ cvmbox attest | head -n 1
    usage: cvmbox attest VERB [OPTIONS] ...
    $ cvmbox attest
    ...
    ? 2
    $ cvmbox attest frobnicate
    2| cvmbox attest: unknown verb 'frobnicate'
    2| cvmbox attest: hint: cvmbox attest --help lists the verbs
    ? 2
    $ cvmbox attest verify --nope x
    2| cvmbox attest: unknown option '--nope'
    2| cvmbox attest: hint: --help lists the options
    ? 2
# a value in the wrong place may be a secret: it is not repeated
    $ cvmbox fetch-key --password=hunter2 2>&1 | grep -c hunter2
    0
    ? 1
# one JSON object also for a usage error
    $ cvmbox attest verify --json --nope | python3 -c 'import json,sys; j=json.load(sys.stdin); print(j["schema"], j["result"], j["exit_code"], j["error"]["message"])'
    cvmbox.attest.verify/1 error 2 unknown option '--nope'
    $ cvmbox --json nope 2>err | python3 -c 'import json,sys; j=json.load(sys.stdin); print(j["schema"], j["exit_code"])'; cat err
    cvmbox/1 2
    cvmbox: unknown applet 'nope'
    cvmbox: hint: cvmbox --list names them
    $ cvmbox --json --list | grep -o '"claims":{"applets":."attest"'
    "claims":{"applets":["attest"
    $ cvmbox help attest verify | head -n 1; cvmbox help attest nope
    usage: cvmbox attest verify [OPTIONS] FILE
    2| cvmbox: help takes an applet and one of its verbs
    ? 2
    $ cvmbox attest verify --print-policy --json | grep -c '"schema":"cvmbox.policy/1"'
    1
# global options before the applet
    $ cvmbox --json attest verify --nope | head -c 1
    {
# symlinks
    $ mkdir bin && cvmbox --install bin && bin/attest verify --help | head -n 1
    usage: cvmbox attest verify [OPTIONS] <*>
    $ cvmbox --install /no/such/folder
    2| cvmbox: cannot open folder '/no/such/folder': No such file or directory
    ? 4
# every verb has help, and help is a result
    $ for v in '' detect collect verify collateral show token measure; do cvmbox attest $v --help; done | awk 'length > 100'
    $ for a in $(cvmbox --list); do cvmbox $a --help >/dev/null || echo "$a"; done
# machine-readable description
    $ cvmbox -q --install bin; cvmbox help --json | python3 -c 'import json,sys; j=json.load(sys.stdin); print(j["schema"], sorted(a["name"] for a in j["applets"])[0])'
    cvmbox.help/1 attest
# a variable sets a common option, but none weakens a check
    $ CVMBOX_TIMEOUT=x cvmbox attest verify f
    2| cvmbox: environment variable CVMBOX_TIMEOUT: 'x' is not a decimal number
    ? 2
    $ CVMBOX_NOW=nonsense CVMBOX_SYSROOT=/nonsense cvmbox --version
    cvmbox <*>
# a closed stdout is a failure
    $ cvmbox --list >/dev/full
    2| cvmbox: cannot write the result: write: No space left on device
    ? 4
    $ cvmbox fetch-key --sysroot . kbs:///a/b/c -o x
    2| cvmbox fetch-key: --sysroot is refused where a secret would be released
    ? 2
# every verb of every applet: a usage error is one JSON object with its status, and without --json nothing goes to stdout
    $ cvmbox help --json | python3 -c 'import json, sys; [print(a["name"], v["name"] or "") for a in json.load(sys.stdin)["applets"] for v in a["verbs"]]' >verbs; \
      grep -cx -e 'attest verify' -e 'kbs put' -e 'run-infer ' verbs
    3
    $ while read -r v; do cvmbox $v --json --nope 2>err | python3 -c 'import json, sys; j = json.load(sys.stdin); \
      v = ".".join(sys.argv[1:]); assert (j["schema"], j["result"], j["exit_code"]) == ("cvmbox." + v + "/1", "error", 2), j; \
      assert {"tool_version", "time", "checks", "claims", "insecure", "error"} <= set(j), j' $v || echo "$v"; done <verbs
    $ while read -r v; do cvmbox $v --nope >out 2>err; [ $? = 2 ] && [ ! -s out ] && grep -q "^cvmbox ${v%% *}: unknown option" err || echo "$v"; done <verbs
    $ while read -r v; do cvmbox $v --help >out 2>err && grep -q "^usage: cvmbox ${v%% *}" out && [ ! -s err ] || echo "$v"; done <verbs
# in bash: applets, verbs, options, words, files
    $ echo 'source <(cvmbox help --completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cvmbox; printf "%s\n" "${COMPREPLY[@]}"' >complete
    $ bash complete cvmbox att; bash complete cvmbox attest ver; bash complete attest ver; bash complete cvmbox attest verify --nonce-; bash complete cvmbox kbs serve --tls-k
    attest
    verify
    verify
    --nonce-file
    --tls-key
    $ bash complete cvmbox encrypt-model --format ''; bash complete cvmbox --json attest ver; bash complete cvmbox help kb; bash complete cvmbox gpu-ccmode --dev
    tink
    verify
    kbs
    --device
    $ bash complete cvmbox attest collect --format ''; bash complete cvmbox fetch-key --key-type r
    bundle
    trustee
    nvattest
    rsa
    $ touch some-file; bash complete cvmbox attest verify some
    some-file
