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
    $ for a in $(cvmbox --list); do cvmbox $a --help >/dev/null || echo "$a"; done
# machine-readable description
    $ cvmbox help --json | python3 -c 'import json,sys; j=json.load(sys.stdin); print(j["schema"], sorted(a["name"] for a in j["applets"])[0])'
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
