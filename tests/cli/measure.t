# Values computed before anything is launched.  small.fd: a firmware image of one page that says only where secondary vCPUs start.

    $ (head -c 4024 /dev/zero; printf '\004\260\200\000\026\000\336\161\367\000\176\032\313\117\211\016\150\307\176\057\264\116\050\000\336\202\265\226\262\037\367\105\272\352\243\146\305\132\010\055'; head -c 32 /dev/zero) >small.fd; stat -c %s small.fd
    4096
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 2 --vcpu-type EPYC-Milan
    measurement  cdca8fb878a04394f80af945a0a510429d1dd9de7f57e08702af1d75fe9ae8be2602652efde48536a2d7a94043641e8b  guest features 0x1
      base64     zcqPuHigQ5T4CvlFoKUQQp0d2d5/V+CHAq8ddf6a6L4mAmUu/eSFNqLXqUBDZB6L
    note: guest features are part of the value, <*>
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 2 --vcpu-family 25 --vcpu-model 1 --vcpu-stepping 1 --output-format hex
    cdca8fb878a04394f80af945a0a510429d1dd9de7f57e08702af1d75fe9ae8be2602652efde48536a2d7a94043641e8b
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 2 --vcpu-sig 0x00a00f11 --output-format base64
    zcqPuHigQ5T4CvlFoKUQQp0d2d5/V+CHAq8ddf6a6L4mAmUu/eSFNqLXqUBDZB6L
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --json
    {"schema":"cvmbox.attest.measure/1",<*>"result":"pass","exit_code":0,"checks":[],"claims":{"target":"snp","vmm":"qemu","vcpus":1,"vcpu_signature":"0x00800f12","values":[{"register":"measurement","value":"7a17f41f91dd7fbd7dbfd4819c821955c2386a055d8a4fb471a505fe32d4c31d341b2b24ee90c80528e38a161c88a0dc","base64":"ehf0H5Hdf719v9SBnIIZVcI4agVdik+0caUF/jLUwx00Gysk7pDIBSjjihYciKDc","when":"guest features 0x1"}],"not_computed":[],"notes":[<*>],"policy":{"schema":"cvmbox.policy/1","measurements":["7a17f41f91dd7fbd7dbfd4819c821955c2386a055d8a4fb471a505fe32d4c31d341b2b24ee90c80528e38a161c88a0dc"]}},"insecure":[]}

# a policy that `verify` takes
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --guest-features 1 --guest-features 0x21 --policy-fragment - | tr -d '\n '
    {"schema":"cvmbox.policy/1","measurements":["7a17f41f91dd7fbd7dbfd4819c821955c2386a055d8a4fb471a505fe32d4c31d341b2b24ee90c80528e38a161c88a0dc","<*>"]}
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --policy-fragment p.json | tail -n 1
    policy: p.json
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --policy-fragment p.json
    2| cvmbox attest: cannot measure: cannot write the policy: 'p.json' exists already
    2| cvmbox attest: hint: <*>
    ? 2
    $ cvmbox attest collect --tee sample --gpus none --nonce 00112233445566778899 -o b.json >/dev/null; cvmbox attest verify b.json --allow-sample --nonce 00112233445566778899 --policy p.json >out; echo $?; grep -c measurement out
    1
    1
    $ cvmbox attest measure snp:ovmf-hash --ovmf small.fd --policy-fragment -
    2| cvmbox attest: cannot measure: a firmware's digest is no measurement: no policy can be made of it
    ? 2

# the digest of the firmware stands for its pages
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 2 --vcpu-type EPYC-Milan --output-format hex --snp-ovmf-hash "$(cvmbox attest measure snp:ovmf-hash --ovmf small.fd --output-format hex)"
    cdca8fb878a04394f80af945a0a510429d1dd9de7f57e08702af1d75fe9ae8be2602652efde48536a2d7a94043641e8b
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 2 --vcpu-type EPYC-Milan --snp-ovmf-hash 00
    2| cvmbox attest: cannot measure: --snp-ovmf-hash: <*>
    ? 2

# what cannot be
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --kernel small.fd
    2| cvmbox attest: cannot measure: 'small.fd': the firmware has no place for kernel hashes, so a kernel is not part of its launch digest
    2| cvmbox attest: hint: take a firmware built for it (OvmfPkg/AmdSev), or leave --kernel out where the firmware starts a boot loader
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1
    2| cvmbox attest: cannot measure: which vCPU model? give --vcpu-type, --vcpu-sig or --vcpu-family
    2| cvmbox attest: hint: QEMU puts the signature of its -cpu model into the first state of each vCPU
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type Zen
    2| cvmbox attest: cannot measure: unknown vCPU type 'Zen'
    2| cvmbox attest: hint: EPYC, EPYC-Rome, <*>
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpu-type EPYC
    2| cvmbox attest: cannot measure: how many vCPUs? give --vcpus, 1 to 4096: each is measured
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --vcpu-sig 1
    2| cvmbox attest: cannot measure: --vcpu-type, --vcpu-sig and --vcpu-family say the same: give one
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --guest-features 0x
    2| cvmbox attest: cannot measure: --guest-features: wanted a number up to <*>
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --memory 2G
    2| cvmbox attest: cannot measure: --memory is not for target 'snp'
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --append quiet
    2| cvmbox attest: cannot measure: --append goes with --kernel
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --svsm small.fd
    2| cvmbox attest: cannot measure: with --svsm, give --vars-size or --vars-file: the SVSM lies below the variable store
    ? 2
    $ cvmbox attest measure snp --ovmf small.fd --vcpus 1 --vcpu-type EPYC --svsm small.fd --vars-size 4K
    2| cvmbox attest: cannot measure: 'small.fd': the SVSM image does not say where it starts
    ? 5
    $ head -c 4095 small.fd >cut.fd; cvmbox attest measure snp --ovmf cut.fd --vcpus 1 --vcpu-type EPYC
    2| cvmbox attest: cannot measure: 'cut.fd': firmware image has 4095 bytes, wanted a multiple of 4096 up to 64 MiB
    ? 5
    $ head -c 4096 /dev/zero >zero.fd; cvmbox attest measure snp --ovmf zero.fd --vcpus 1 --vcpu-type EPYC
    2| cvmbox attest: cannot measure: 'zero.fd': the firmware image does not say where secondary vCPUs start
    2| cvmbox attest: hint: is it an OVMF image built with SEV support?
    ? 5
    $ cvmbox attest measure tdx --ovmf small.fd
    2| cvmbox attest: cannot measure: 'small.fd': the firmware image has no TDX metadata
    2| cvmbox attest: hint: <*>
    ? 5
    $ cvmbox attest measure tdx --kernel small.fd --append quiet
    2| cvmbox attest: cannot measure: 'small.fd': not a PE image: it does not begin with 'MZ'
    ? 5
    $ cvmbox attest measure tdx --kernel /dev/null
    2| cvmbox attest: cannot measure: '/dev/null' is no regular file of at most 64 GiB
    ? 2
    $ cvmbox attest measure tdx
    2| cvmbox attest: cannot measure: what is launched? give --ovmf FILE, --kernel FILE, or both
    ? 2
    $ cvmbox attest measure sev
    2| cvmbox attest: unknown target 'sev'
    2| cvmbox attest: hint: snp, snp:ovmf-hash, tdx, pcr or initdata
    ? 2

# a kernel: a PE image without sections is enough of one
    $ python3 -c "import struct; k = bytearray(4096); k[:2], k[60], k[0x40:0x42], k[0x54:0x56], k[0x58:0x5a] = b'MZ', 0x40, b'PE', struct.pack('<H', 240), b'\x0b\x02'; k[0x94:0x98], k[0xc4] = struct.pack('<I', 4096), 16; k[0x202:0x208], k[0x211], k[0x22c:0x230] = b'HdrS\x0f\x02', 1, struct.pack('<I', 0x7fffffff); open('bzImage', 'wb').write(k)"
    $ printf initrd >initrd; cvmbox attest measure tdx --kernel bzImage --initrd initrd --append quiet
    rtmr1        <*>  kernel as it is: QEMU 10.1 and later
    rtmr2        <*>  command line 'quiet initrd=initrd'
    rtmr2        <*>  command line 'initrd=initrd quiet'
    rtmr1 of QEMU before 10.1 not computed: QEMU before 10.1 puts the initrd's address into the kernel's header, which depends on the memory
    $ cvmbox attest measure tdx --kernel bzImage --initrd initrd --append quiet --memory 4G | sed 's/[0-9a-f]\{96\}/HEX/'
    rtmr1        HEX  kernel as it is: QEMU 10.1 and later
    rtmr1        HEX  kernel's header patched: QEMU before 10.1
    rtmr2        HEX  command line 'quiet initrd=initrd'
    rtmr2        HEX  command line 'initrd=initrd quiet'
    $ cvmbox attest measure tdx --kernel bzImage --kernel-header raw --append 'quiet initrd=initrd' --initrd initrd --policy-fragment - | tr -d '\n 0-9a-f'
    {"shm":"vmox.poliy/","rtmrs":{"":[""],"":[""]}}
    $ cvmbox attest measure tdx --kernel bzImage --kernel-header raw | sed 's/[0-9a-f]\{96\}/HEX/'
    rtmr1        HEX  kernel as it is: QEMU 10.1 and later
    rtmr2        not computed: whether a kernel without command line measures one is not known
    $ cvmbox attest measure pcr --kernel bzImage --append quiet --initrd initrd --policy-fragment - | tr -d '\n '
    {"schema":"cvmbox.policy/1","boot_images":["<*>"],"kernel_cmdlines":["quiet"]}
    $ cvmbox attest measure pcr --kernel bzImage | tail -n 1
    note: other PCRs depend on firmware and boot loader: <*>
    $ printf 'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n' >init.toml; cvmbox attest measure initdata --initdata init.toml | sed 's/[0-9a-f]\{64,\}/HEX/'
    init_data    HEX  SNP host_data, TPM (PCR 8)
    init_data    HEX  TDX mr_config_id
    init_data    HEX  CCA realm personalization value
    $ cvmbox attest measure initdata
    2| cvmbox attest: cannot measure: which init data? give --initdata FILE
    ? 2
    $ cvmbox attest measure pcr
    2| cvmbox attest: cannot measure: what is booted? give --uki FILE, or --kernel, --initrd and --append
    ? 2
    $ cvmbox attest measure pcr --uki none.efi
    2| cvmbox attest: cannot measure: cannot open 'none.efi': No such file or directory
    ? 4
    $ printf MZ >cut.efi; cvmbox attest measure pcr --kernel cut.efi
    2| cvmbox attest: cannot measure: 'cut.efi': 2 bytes are no PE image
    ? 5

@need vectors
    $ : >empty; cvmbox attest measure snp --ovmf $CVMBOX_VECTORS/cpu-tee/measure/ovmf_AmdSev_suffix.bin --vcpus 1 --vcpu-type EPYC-v4 --kernel empty --initrd empty --append 'console=ttyS0 loglevel=7' --output-format hex --guest-features 0x1 --guest-features 0x21
    6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa
    803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977
    $ S=$CVMBOX_VECTORS/cpu-tee/snp; cvmbox attest verify $S/milan-v3.report.bin --certs $S/milan-v3.vcek-a.pem --now 2026-01-01 --insecure-no-nonce --policy p.json >out; echo $?; grep -o '[a-z]*  *snp.measurement' out
    1
    <*>
