# What zsh and fish offer, asked of the shells themselves (bash: cvmbox.t).
@need command:fish
    $ cvmbox help --completion fish >c.fish; echo 'source c.fish; complete -C "$argv"' >ask.fish; touch some-file
    $ for c in 'cvmbox att' 'cvmbox attest ver' 'cvmbox attest verify --nonce-' 'cvmbox attest collect --format ' 'cvmbox encrypt-model --format ' \
        'cvmbox fetch-key --key-type r' 'cvmbox attest verify some'; do fish --no-config ask.fish "$c" | cut -f 1; done
    attest
    verify
    --nonce-file
    bundle
    nvattest
    trustee
    tink
    rsa
    some-file
# zsh: the function is asked what it would hand to zsh's own helpers
@need command:zsh
    $ cvmbox help --completion zsh >_cvmbox; printf '%s\n' '_values() { print -rl -- "${@[2,-1]%%\[*}" }' '_arguments() { print -rl -- "$@" }' \
        'words=("$@"); CURRENT=$#; source ./_cvmbox' >ask.zsh
    $ zsh -f ask.zsh cvmbox '' | grep -x attest; zsh -f ask.zsh cvmbox attest ''; zsh -f ask.zsh attest ver | head -n 1
    attest
    detect
    collect
    verify
    collateral
    show
    token
    measure
    detect
    $ zsh -f ask.zsh cvmbox attest collect --format '' | grep -o -e '--format.*' | grep -o '(bundle trustee nvattest)'; zsh -f ask.zsh cvmbox encrypt-model --f | grep -c -e '^--format.*(tink)$'
    (bundle trustee nvattest)
    1
