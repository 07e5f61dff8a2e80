# A model whose next letter is always the one that follows: one-hot embeddings, layers of zeros, an output matrix that shifts by one.
    $ printf '%s\n' 'import struct, sys' \
      'tok = ["<unk>", "<s>", "</s>"] + list("abcdefghijklmnopqrstuvwxyz ") + ["<|im_start|>", "<|im_end|>"]; V = len(tok)' \
      's = lambda t: struct.pack("<Q", len(t)) + t.encode()' \
      'def kv(k, t, v): return s(k) + struct.pack("<I", t) + v' \
      'u = lambda k, v: kv(k, 4, struct.pack("<I", v)); f = lambda k, v: kv(k, 6, struct.pack("<f", v))' \
      'arr = lambda t, fmt, v: struct.pack("<IQ", t, len(v)) + (b"".join(map(s, v)) if t == 8 else struct.pack("<%d%s" % (len(v), fmt), *v))' \
      'arch = sys.argv[1]; A = arch + "."' \
      'k = [kv("general.architecture", 8, s(arch)), u(A + "embedding_length", V), u(A + "feed_forward_length", 4), u(A + "block_count", 1),' \
      '     u(A + "context_length", 64), u(A + "attention.head_count", 1), u(A + "attention.key_length", 2), u(A + "attention.value_length", 2),' \
      '     u(A + "rope.dimension_count", 2), f(A + "attention.layer_norm_rms_epsilon", 1e-5), kv("tokenizer.ggml.model", 8, s("llama")),' \
      '     kv("tokenizer.ggml.tokens", 9, arr(8, "", tok)), kv("tokenizer.ggml.scores", 9, arr(6, "f", [0.0] * V)),' \
      '     kv("tokenizer.ggml.token_type", 9, arr(5, "i", [2, 3, 3] + [1] * (V - 5) + [3, 3])), kv("tokenizer.ggml.add_space_prefix", 7, b"\0"),' \
      '     kv("tokenizer.chat_template", 8, s("<|im_start|>")), u("tokenizer.ggml.eos_token_id", 2)]' \
      'one = lambda r, c: [1.0 if c(j) == i else 0.0 for i in range(r) for j in range(V)]' \
      'nxt = lambda j: 2 if tok[j] == "z" else 3 + 12 if tok[j] == " " else 3 if tok[j] == "<|im_start|>" else j + 1' \
      't = [("token_embd.weight", V, V, one(V, lambda j: j)), ("output.weight", V, V, one(V, nxt)), ("output_norm.weight", V, 1, [1.0] * V)]' \
      'z = lambda n, a, b: ("blk.0." + n + ".weight", a, b, [0.0] * (a * b))' \
      't += [z("attn_norm", V, 1), z("ffn_norm", V, 1), z("attn_q", V, 2), z("attn_k", V, 2), z("attn_v", V, 2), z("attn_output", 2, V),' \
      '      z("ffn_gate", V, 4), z("ffn_up", V, 4), z("ffn_down", 4, V)]' \
      'info = data = b""' \
      'for n, a, b, w in t:' \
      '    info += s(n) + struct.pack("<I", 2) + struct.pack("<QQIQ", a, b, 0, len(data))' \
      '    data += struct.pack("<%df" % len(w), *w); data += b"\0" * (-len(data) % 32)' \
      'h = b"GGUF" + struct.pack("<IQQ", 3, len(t), len(k)) + b"".join(k) + info' \
      'sys.stdout.buffer.write(h + b"\0" * (-len(h) % 32) + data)' >mk.py
    $ python3 mk.py llama >m.gguf && python3 mk.py rwkv >other.gguf && head -c 900 m.gguf >cut.gguf
# it says the alphabet, from an argument, a file or standard input; the end of the turn ends it, or -n
    $ cvmbox run-infer --model m.gguf --raw --prompt v --temp 0
    wxyz
    $ printf s >p.txt; cvmbox run-infer --model m.gguf --raw --prompt-file p.txt --temp 0 -n 3 --threads 1
    tuv
    $ printf a | cvmbox run-infer --model m.gguf --raw --temp 0 -n 2
    bc
    $ cat m.gguf | cvmbox run-infer --model - --raw --prompt w --temp 0
    xyz
# with the template of the file the answer comes after "assistant\n", of which the letters known here end in "t"; a newline is unknown
    $ cvmbox run-infer --model m.gguf --prompt x --temp 0 --json -n 4 | python3 -c 'import json, sys; j = json.load(sys.stdin); \
      c = j["claims"]; print(j["schema"], j["result"], c["stop"], c["generated_tokens"], c["model"]["encrypted"], c["model"]["architecture"])'
    cvmbox.run-infer/1 pass <*> False llama
# what goes wrong before the model is looked at
    $ cvmbox run-infer --prompt x
    2| cvmbox run-infer: no model given: --model is needed
    ? 2
    $ cvmbox run-infer --model m.gguf --prompt x extra
    2| cvmbox run-infer: unexpected operand 'extra': an external engine stands behind '--'
    ? 2
    $ cvmbox run-infer --model m.gguf --prompt x --require tpu
    2| cvmbox run-infer: option --require: unknown word 'tpu', wanted cpu or gpu
    ? 2
    $ cvmbox run-infer --model m.gguf --prompt x --tee sample --allow-sample --require cpu,gpu 2>err || echo $?; grep -c 'cannot attest this machine: .*GPU' err
    3
    1
    $ cvmbox run-infer --model m.gguf --prompt x --policy p.json
    2| cvmbox run-infer: --policy without --require would not be looked at
    ? 2
    $ cvmbox run-infer --model m.gguf --prompt x --temp -1
    2| cvmbox run-infer: temperature is -1, wanted 0 to 100
    ? 2
# what is wrong with the model
    $ cvmbox run-infer --model none.gguf --prompt x
    2| cvmbox run-infer: <*>none.gguf<*>
    ? 4
    $ cvmbox run-infer --model other.gguf --raw --prompt x
    2| cvmbox run-infer: cannot load model 'other.gguf': architecture 'rwkv' is not supported (supported: llama, qwen2, qwen3)
    ? 3
    $ cvmbox run-infer --model cut.gguf --raw --prompt x
    2| cvmbox run-infer: cannot load model 'cut.gguf': array 'tokenizer.ggml.scores' has 32 elements, more than the file holds
    ? 5
    $ cvmbox run-infer --model m.gguf --raw --prompt "$(printf '%080d' 0)"
    2| cvmbox run-infer: the prompt has 81 tokens, the context holds 64
    2| cvmbox run-infer: hint: --ctx sets the size of the context, up to what the model was made for
    ? 2
# encrypted: the key opens it, another key and a changed file do not
    $ cvmbox encrypt-model -q --new-key k m.gguf -o m.tink >log && cvmbox encrypt-model -q --new-key k2 m.gguf -o m2.tink >log; tail -n 1 log
    encrypted to 'm2.tink'
    $ cvmbox run-infer --model m.tink --key k --raw --prompt v --temp 0
    wxyz
    $ cvmbox run-infer --model m.tink --key k2 --raw --prompt v
    2| cvmbox run-infer: <*>
    2| cvmbox run-infer: hint: <*>
    ? 1
    $ python3 -c 'd = bytearray(open("m.tink", "rb").read()); d[3000] ^= 1; open("bad.tink", "wb").write(d)'; \
      cvmbox run-infer --model bad.tink --key k --raw --prompt v
    2| cvmbox run-infer: <*>
    2| cvmbox run-infer: hint: <*>
    ? 1
    $ cvmbox run-infer --model m.tink --raw --prompt v
    2| cvmbox run-infer: cannot load model 'm.tink': not a GGUF file: it does not start with 'GGUF'
    2| cvmbox run-infer: hint: an encrypted model needs --key
    ? 5
# the gate: sample evidence has to be allowed, the policy has to hold, and neither needs the key
    $ echo '{ "schema": "cvmbox.policy/1", "kinds": ["sample"], "measurements": ["abcde"] }' >good.json; sed s/abcde/fedcb/ good.json >bad.json
    $ cvmbox run-infer --model m.tink --key k --tee sample --allow-sample --require cpu --policy good.json --raw --prompt x --temp 0
    yz
    2| insecure: --allow-sample was given
    $ cvmbox run-infer --model m.tink --key no-such-key --tee sample --allow-sample --require cpu --policy bad.json --raw --prompt x
    2| ...
    2| fail  sample.measurement  abcde  (wanted fedcb)
    2| insecure: --allow-sample was given
    2| cvmbox run-infer: this machine is refused: sample.measurement: wanted fedcb, is abcde
    2| cvmbox run-infer: hint: no key was asked for; 'cvmbox attest collect' and 'verify' show the same step by step
    ? 1
    $ cvmbox run-infer --model m.tink --key no-such-key --tee sample --require cpu --policy good.json --raw --prompt x >/dev/null
    2| ...
    2| cvmbox run-infer: this machine is refused: sample.allowed: <*>
    2| cvmbox run-infer: hint: no key was asked for; <*>
    ? 1
# an external engine reads the memory file, sees nothing else, and its status is ours
    $ cvmbox run-infer -q --model m.tink --key k -- sh -c 'cmp {model} m.gguf && ls /proc/self/fd | tr "\n" " "; echo; exit 7'
    0 1 2 3 4 
    ? 7
    $ cvmbox run-infer -q --model m.gguf -- sh -c 'echo {model}; kill -TERM $$'
    m.gguf
    ? 143
    $ SECRET=1 cvmbox run-infer -q --model m.tink --key k --env A=2 -- sh -c 'echo "$SECRET,$A,$DO_NOT_TRACK"; umask; head -c 4 --model={model} 2>/dev/null || head -c 4 {model}; echo'
    ,2,1
    0077
    GGUF
    $ cvmbox run-infer -q --model m.tink --key k -- ./no-such-engine {model}
    2| cvmbox run-infer: cannot run './no-such-engine': No such file or directory
    ? 3
    $ cvmbox run-infer -q --model m.tink --key k -- true
    2| cvmbox run-infer: the command does not mention {model}, so it would not find the model
    ? 2
    $ cvmbox run-infer -q --model m.tink --key k --prompt x -- true {model}
    2| cvmbox run-infer: prompts and --bench are for the built-in engine, not for 'true'
    ? 2
    $ cvmbox run-infer -q --model - -- cat {model} </dev/null
    2| cvmbox run-infer: a plain model for 'cat' has to be a path, not '-'
    ? 2
# signals reach the engine; it does not outlive us, even if we are killed
    $ cvmbox run-infer -q --model m.tink --key k -- sh -c 'trap "echo told; exit 3" TERM; : >up {model}; while :; do sleep 0.1; done' 2>log & \
      while [ ! -e up ]; do sleep 0.1; done; kill -TERM $!; wait $!; echo $?
    told
    3
    $ cvmbox run-infer -q --model m.tink --key k -- sh -c 'echo $$ >pid.new; mv pid.new pid; exec sleep 60 # {model}' & \
      while [ ! -e pid ]; do sleep 0.1; done; kill -9 $!; wait $! 2>/dev/null; sleep 0.5; grep -q 'State:.[RSDT]' /proc/$(cat pid)/status 2>/dev/null || echo gone
    gone
# the real engine's texts, where the vectors are
@need vectors
    $ cvmbox run-infer --model $CVMBOX_VECTORS/models/stories260K/stories260K-q8_0.gguf --raw --prompt 'Once upon a time' --temp 0 -n 12
    , there was a little girl named Lily<*>
