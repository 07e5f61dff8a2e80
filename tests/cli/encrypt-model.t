# One file: a new key, and the way back.  head -c 3000000 is three segments.
    $ head -c 3000000 /dev/zero | tr '\0' x >model.gguf && cvmbox encrypt-model --new-key key.json model.gguf -o model.tink
    2.9 MiB, tink (aes256-gcm-hkdf-sha256, 1048576-byte segments), key <*>
    new key in 'key.json': whoever has it can read the model; put it into the key broker, and delete it here
    encrypted to 'model.tink'
    $ stat -c '%a %s' key.json model.tink | cut -d ' ' -f 1 && stat -c %s model.tink
    600
    644
    3000088
    $ cvmbox decrypt-model --key key.json model.tink -o back && cmp back model.gguf
    2.9 MiB, tink (aes256-gcm-hkdf-sha256, 1048576-byte segments), key <*>
    decrypted to 'back': authentic
# nothing that exists is overwritten, the key never
    $ cvmbox encrypt-model --key key.json model.gguf -o model.tink
    2| cvmbox encrypt-model: cannot encrypt 'model.gguf': 'model.tink' exists already
    2| cvmbox encrypt-model: hint: remove it, choose another name, or give -f if it may be replaced
    ? 2
    $ cvmbox encrypt-model -f --new-key key.json model.gguf -o model.tink
    2| cvmbox encrypt-model: cannot encrypt 'model.gguf': 'key.json' exists already, and keys are never overwritten
    2| cvmbox encrypt-model: hint: use it with --key, or name another file
    ? 2
    $ cvmbox encrypt-model -f --key key.json model.gguf -o model.tink && cvmbox decrypt-model -k key.json model.tink -o - | cmp - model.gguf
    <*>
    encrypted to 'model.tink'
# streams: the output is the same format
    $ cat model.gguf | cvmbox encrypt-model -k key.json - -o - | cvmbox decrypt-model -k key.json - -o - | cmp - model.gguf
    $ cvmbox encrypt-model -k fd:3 fd:4 -o fd:5 3<key.json 4<model.gguf 5>by-fd && cvmbox decrypt-model -k key.json by-fd -o - | cmp - model.gguf
    <*>
    encrypted to 'fd:5'
    $ printf '' | cvmbox encrypt-model -k key.json - -o - | wc -c
    56
# the new key goes to standard output, the model to a file
    $ cvmbox encrypt-model --new-key - model.gguf -o m2.tink >key2.json && cvmbox decrypt-model -k key2.json m2.tink -o - | cmp - model.gguf
# no key without its model: the folder of the output does not exist
    $ cvmbox encrypt-model --new-key key3.json model.gguf -o nowhere/m.tink; ls key3.json
    2| cvmbox encrypt-model: cannot encrypt 'model.gguf': cannot open folder 'nowhere': No such file or directory
    2| ls: cannot access 'key3.json': No such file or directory
    ? 2
# associated data
    $ printf weights.gguf >aad && cvmbox encrypt-model -q -k key.json --aad-file aad model.gguf -o aad.tink >/dev/null
    $ cvmbox decrypt-model -k key.json aad.tink -o aad.out
    2| cvmbox decrypt-model: cannot decrypt 'aad.tink': segment 0 is not authentic
    2| cvmbox decrypt-model: hint: another key, other associated data (a file out of a folder has its path as --aad-file), or it was changed or cut
    ? 1
    $ cvmbox decrypt-model -k key.json --aad-file aad aad.tink -o - | cmp - model.gguf
# JSON
    $ cvmbox encrypt-model --json -f -k key.json model.gguf -o model.tink
    {"schema":"cvmbox.encrypt-model/1","tool_version":"<*>","time":"<*>","result":"pass","exit_code":0,"checks":[],"claims":{"format":"tink","cipher":"aes256-gcm-hkdf-sha256, 1048576-byte segments","authenticated":true,"key_id":<*>,"bytes_in":3000000,"bytes_out":3000088},"insecure":[]}
    $ cvmbox encrypt-model --json -k key.json model.gguf -o - | cut -c 1-40
    {"schema":"cvmbox.encrypt-model/1","tool
    $ cvmbox encrypt-model --json -k key.json nothing -o x
    {"schema":"cvmbox.encrypt-model/1",<*>"result":"error","exit_code":4,"checks":[],"claims":{},"insecure":[],"error":{"message":"cannot encrypt 'nothing': cannot open 'nothing': No such file or directory"}}
    2| cvmbox encrypt-model: cannot encrypt 'nothing': cannot open 'nothing': No such file or directory
    ? 4
# a folder: names, links, and a manifest
    $ mkdir -p snap/tok blobs && echo '{}' >snap/config.json && echo weights >blobs/77 && ln -s ../blobs/77 snap/model.safetensors && echo t >snap/tok/t.json
    $ cvmbox encrypt-model --new-key folder.json snap -o enc && find enc -type f | LC_ALL=C sort
    3 files, <*> bytes, tink (aes256-gcm-hkdf-sha256, 1048576-byte segments), key <*>
    new key in 'folder.json': <*>
    encrypted to 'enc'
    enc/config.json.tink
    enc/cvmbox-manifest.tink
    enc/model.safetensors.tink
    enc/tok/t.json.tink
    $ cvmbox encrypt-model -k folder.json snap -o enc
    2| cvmbox encrypt-model: cannot encrypt 'snap': 'enc' exists already
    2| cvmbox encrypt-model: hint: remove it first: -f replaces an empty folder only, so that a wrong name cannot delete others' files
    ? 2
    $ cvmbox encrypt-model -k folder.json snap -o -
    2| cvmbox encrypt-model: cannot encrypt 'snap': 'snap' is a folder: it needs -o FOLDER
    ? 2
    $ cvmbox encrypt-model -k folder.json enc -o enc2
    2| cvmbox encrypt-model: cannot encrypt 'enc': folder 'enc' holds a file 'cvmbox-manifest.tink'
    2| cvmbox encrypt-model: hint: is it encrypted already?
    ? 2
    $ mkfifo snap/pipe && cvmbox encrypt-model -k folder.json snap -o enc3; ls -d enc3 .enc3*
    2| cvmbox encrypt-model: cannot encrypt 'snap': 'pipe' is neither a file nor a folder
    2| ls: cannot access 'enc3': No such file or directory
    2| ls: cannot access '.enc3*': No such file or directory
    ? 2
# usage
    $ cvmbox encrypt-model model.gguf -o x
    2| cvmbox encrypt-model: one of --new-key and --key is needed
    ? 2
    $ cvmbox encrypt-model --key a --new-key b model.gguf -o x
    2| cvmbox encrypt-model: one of --new-key and --key is needed
    ? 2
    $ cvmbox encrypt-model -k key.json model.gguf
    2| cvmbox encrypt-model: no output given
    2| cvmbox encrypt-model: hint: -o PATH, or -o - for standard output
    ? 2
    $ cvmbox encrypt-model -k - - -o x
    2| cvmbox encrypt-model: key and model cannot both come from standard input
    ? 2
    $ head -c 32 /dev/zero >raw.key && cvmbox encrypt-model -k raw.key model.gguf -o x
    2| cvmbox encrypt-model: cannot encrypt 'model.gguf': cannot use the key: not a Tink keyset: neither JSON nor a protobuf message
    ? 5
    $ cvmbox encrypt-model --threads 4000 -k key.json model.gguf -o x
    2| cvmbox encrypt-model: option --threads: at most 1024
    ? 2
# a terminal gets no binary data
    @need command:script
    $ script -qec 'cvmbox encrypt-model -k key.json model.gguf -o -' /dev/null </dev/null | head -n 1 | tr -d '\r'
    cvmbox encrypt-model: cannot encrypt 'model.gguf': '-' is a terminal: binary data is not written there
