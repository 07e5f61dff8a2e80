# A fake machine: gpu BDF DEVICE CLASS DRIVER adds a PCI function below ./r; "-" is no driver.
    $ printf '%s\n' \
      'd=r/sys/bus/pci/devices/$1; mkdir -p $d r/sys/bus/pci/drivers/$4 r/dev' \
      'echo 0x10de >$d/vendor; echo 0x$2 >$d/device; echo 0x$3 >$d/class' \
      '[ "$4" = - ] || ln -s ../../drivers/$4 $d/driver' >gpu
# A recorded driver: record CAPS READY; one GPU at 0000:00:06.0, optional texts "not supported" but for the name.
    $ printf '%s\n' \
      'c() { printf "%s" "{\"nr\":42,\"cmd\":\"$1\",\"size\":$2,\"in\":\"$3\",\"out\":\"$4\",\"status\":\"$5\"},"; }' \
      'a() { printf "%s" "{\"nr\":43,\"cls\":\"$1\",\"params\":\"$2\",\"handle\":\"$3\"},"; }' \
      '{ printf "%s" "{\"calls\":[{\"nr\":210,\"size\":72,\"in\":\"32\",\"out\":\"32000000010000003538302e31\"},"' \
      'printf "%s" "{\"nr\":200,\"size\":2304,\"in\":\"\",\"out\":\"010000000000000000060000de10302306000000\"},"' \
      'a 0x41 "" 0x11; c 0x205 32 06 06 0x0; a 0x80 "" 0x12; a 0x2080 "" 0x13; a 0xcb33 11 0x14' \
      'c 0x275 268 06 "" 0x56; c 0x20800110 68 "" 0000000054455354 0x0; c 0x20801701 16 "" 8001 0x0' \
      'c 0x20800810 124 0200000000000000000000000100000000 "" 0x56; c 0xcb330106 24 13 13 0x0' \
      'c 0xcb330101 6 "" $1 0x0; printf "%s" "{\"nr\":42,\"cmd\":\"0xcb330104\",\"size\":1,\"in\":\"\",\"out\":\"$2\"}]}"' \
      '} >r/dev/nvidiactl; : >r/dev/nvidia0' >record
# no GPU
    $ mkdir -p r/sys/bus/pci/devices && cvmbox gpu-ccmode query --sysroot r
    2| cvmbox gpu-ccmode: no NVIDIA GPU on the PCI bus (vendor 0x10de, class 0x0300 or 0x0302)
    2| cvmbox gpu-ccmode: hint: in a VM: was the GPU passed through?
    ? 3
    $ mkdir none && cvmbox gpu-ccmode query --sysroot none
    2| cvmbox gpu-ccmode: no NVIDIA GPU seen: '/sys/bus/pci' is not there
    2| cvmbox gpu-ccmode: hint: is sysfs mounted at /sys?
    ? 3
# one GPU, mode off; the default verb is query
    $ sh gpu 0000:00:06.0 2330 030200 nvidia && sh record 0002 00 && cvmbox gpu-ccmode query --sysroot r
    BDF           NAME  CC-CAPABLE  MODE  READY  DRIVER
    0000:00:06.0  TEST  yes         off   no     nvidia 580.1
    pass  gpu.answer  1 of 1 GPU answered
    confidential mode: off (1 GPU)
    $ cvmbox gpu-ccmode --device 00:06.0 --sysroot r | tail -n 1
    confidential mode: off (1 GPU)
# every mode that the driver can tell, and what it cannot mean
    $ for caps in 000202020000 000202020002 000201020100 000202000001 00020201 000201020000 000209; do \
      sh record $caps 01; cvmbox gpu-ccmode query --sysroot r | tail -n 1; done
    confidential mode: on (1 GPU)
    confidential mode: on (1 GPU)
    confidential mode: devtools (1 GPU)
    confidential mode: ppcie (1 GPU)
    confidential mode: apm (1 GPU)
    confidential mode: unknown (1 of 1 GPUs)
    confidential mode: unknown (1 of 1 GPUs)
    $ sh record 0302010201 01 && cvmbox gpu-ccmode query --sysroot r
    BDF           NAME  CC-CAPABLE  MODE      READY  DRIVER
    0000:00:06.0  TEST  yes         devtools  yes    nvidia 580.1
    warn  gpu.mode  0000:00:06.0: devtools mode: data on this GPU can be read by debuggers
            for development only; appraisal refuses it unless a policy says otherwise
    pass  gpu.answer  1 of 1 GPU answered
    confidential mode: devtools (1 GPU)
    $ cvmbox gpu-ccmode query --sysroot r --json | python3 -c 'import json,sys; j=json.load(sys.stdin); \
      g=j["claims"]["gpus"][0]; c=j["claims"]["confidential_compute"]; print(j["schema"], j["result"], j["exit_code"], j["simulated"]); \
      print(g["bdf"], g["mode"], g["ready"], g["cc_capability"], g["uuid"], g["architecture"]); \
      print(c["cpu_capability"], c["environment"], c["feature"], c["devtools"], c["raw"])'
    cvmbox.gpu-ccmode.query/1 warn 0 True
    0000:00:06.0 devtools True hcc None hopper
    sev-snp simulation hcc True 030201020100
# choosing a device
    $ cvmbox gpu-ccmode query --sysroot r --device 00:06.0 | tail -n 1
    confidential mode: devtools (1 GPU)
    $ cvmbox gpu-ccmode query --sysroot r --device 00000000:00:06.0 | tail -n 1
    confidential mode: devtools (1 GPU)
    $ cvmbox gpu-ccmode query --sysroot r --device 0000:41:00.0
    2| cvmbox gpu-ccmode: no NVIDIA GPU or NVSwitch at '0000:41:00.0'
    2| cvmbox gpu-ccmode: hint: 'cvmbox gpu-ccmode query' lists those of this machine
    ? 3
    $ cvmbox gpu-ccmode query --sysroot r --device 0
    2| cvmbox gpu-ccmode: '0' is not a PCI address
    2| cvmbox gpu-ccmode: hint: write it as '0000:41:00.0' or '41:00.0'; 'gpu-ccmode query' lists them
    ? 2
# nobody to ask: said for each GPU, not an error
    $ sh gpu 0000:41:00.0 2901 030200 vfio-pci && sh gpu 0000:42:00.0 2901 030000 - && sh gpu 0000:07:00.0 22a3 068000 - && \
      sh record 000202020000 01 && cvmbox gpu-ccmode query --sysroot r
    BDF           NAME                         CC-CAPABLE  MODE     READY  DRIVER
    0000:00:06.0  TEST                         yes         on       yes    nvidia 580.1
    0000:07:00.0  NVSwitch [10de:22a3]         ?           unknown  ?      none
    0000:41:00.0  Blackwell GB100 [10de:2901]  ?           unknown  ?      vfio-pci
    0000:42:00.0  Blackwell GB100 [10de:2901]  ?           unknown  ?      none
    skip  gpu.mode  0000:07:00.0: an NVSwitch keeps its mode in its registers, which are not read
    warn  gpu.driver  0000:41:00.0: driver 'vfio-pci' is bound, which does not tell the mode
            ask inside the VM that the GPU is given to, or bind the nvidia driver
    warn  gpu.driver  0000:42:00.0: no driver is bound
            load the nvidia module and bind it, then ask again
    confidential mode: unknown (2 of 3 GPUs)
    $ rm r/dev/nvidia0 && cvmbox gpu-ccmode query --sysroot r --device 00:06.0
    ...
    warn  gpu.driver  0000:00:06.0: device node missing: '/dev/nvidia0' does not exist
            'nvidia-modprobe -c 0' makes the nodes; a container has to be given them
    confidential mode: unknown (1 of 1 GPUs)
# a GPU with the driver bound that does not answer is an error that names it
    $ sh gpu 0000:43:00.0 2330 030200 nvidia && sh record 000202020000 01 && cvmbox gpu-ccmode query --sysroot r --json >j; echo $?; \
      python3 -c 'import json; j=json.load(open("j")); print(j["result"], j["error"]["message"]); \
      print([(g["bdf"], g["mode"]) for g in j["claims"]["gpus"] if g["driver"] == "nvidia"])'
    4
    error GPU 0000:43:00.0 does not answer: driver 'nvidia' is bound, but does not list this GPU
    [('0000:00:06.0', 'on'), ('0000:43:00.0', 'unknown')]
    $ rm -r r/sys/bus/pci/devices/0000:43:00.0 && echo '{"calls":[{"nr":210,"errno":5,"size":72,"in":"32"}]}' >r/dev/nvidiactl && \
      cvmbox gpu-ccmode query --sysroot r --device 00:06.0
    ...
    fail  gpu.answer  0000:00:06.0: cannot ask the NVIDIA driver for its version: <*> (ioctl 0xd2 of 72 bytes)
    confidential mode: unknown (1 of 1 GPUs)
    2| cvmbox gpu-ccmode: GPU 0000:00:06.0 does not answer: cannot ask the NVIDIA driver for its version: <*> (ioctl 0xd2 of 72 bytes)
    ? 4
# sysfs out of form
    $ echo 10de >r/sys/bus/pci/devices/0000:41:00.0/vendor; cvmbox gpu-ccmode query --sysroot r
    2| cvmbox gpu-ccmode: cannot list PCI devices: cannot identify PCI function '0000:41:00.0': '/sys/bus/pci/devices/0000:41:00.0/vendor' holds '10de', wanted 0x and 4 hex digits
    ? 5
# set: what is refused before anything is looked at
    $ cvmbox gpu-ccmode set on
    2| cvmbox gpu-ccmode: which devices? --device BDF, or --all
    2| cvmbox gpu-ccmode: hint: 'cvmbox gpu-ccmode query' lists those of this machine
    ? 2
    $ cvmbox gpu-ccmode set --all
    2| cvmbox gpu-ccmode: which mode? on, off, devtools or ppcie
    ? 2
    $ cvmbox gpu-ccmode set sideways --all
    2| cvmbox gpu-ccmode: 'sideways' is no mode, wanted on, off, devtools or ppcie
    ? 2
    $ cvmbox gpu-ccmode set --resume --rollback
    2| cvmbox gpu-ccmode: --resume and --rollback contradict each other
    ? 2
    $ cvmbox gpu-ccmode set --resume --all
    2| cvmbox gpu-ccmode: --resume takes mode and devices from the journal: leave them out
    ? 2
    $ mkdir -p m/sys/bus/pci/devices && cvmbox gpu-ccmode set on --all --sysroot m
    2| cvmbox gpu-ccmode: no NVIDIA GPU or NVSwitch on the PCI bus
    2| cvmbox gpu-ccmode: hint: in a VM: was the GPU passed through?
    ? 3
# a bound driver, no way to reset, no registers: said before anything changes
    $ sed 's,=r/,=m/,; s, r/, m/,g' gpu >gpum && sh gpum 0000:41:00.0 2330 030200 nvidia && cvmbox gpu-ccmode set on --all --sysroot m
    2| cvmbox gpu-ccmode: 0000:41:00.0: driver 'nvidia' is bound, which loses the GPU when its mode is switched
    2| cvmbox gpu-ccmode: hint: stop what uses the GPUs, then --unbind takes the driver off and binds it again
    ? 1
    $ mkdir -p m/proc/99/fd && ln -s /dev/nvidia0 m/proc/99/fd/4 && echo vllm >m/proc/99/comm && : >m/sys/bus/pci/devices/0000:41:00.0/reset && \
      cvmbox gpu-ccmode set on --all --unbind --sysroot m
    2| cvmbox gpu-ccmode: 0000:41:00.0 is in use: process 99 (vllm) holds '/dev/nvidia0' open
    2| cvmbox gpu-ccmode: hint: stop what uses the GPUs first (workloads, nvidia-persistenced, fabric manager): the driver cannot let go before
    ? 1
    $ cvmbox gpu-ccmode query --settings --sysroot m
    fail  gpu.settings  0000:41:00.0: driver 'nvidia' is bound, and talks to the firmware itself
            settings are read while no driver is bound
    2| cvmbox gpu-ccmode: 0000:41:00.0: driver 'nvidia' is bound, and talks to the firmware itself
    2| cvmbox gpu-ccmode: hint: settings are read while no driver is bound
    ? 1
    $ rm m/sys/bus/pci/devices/0000:41:00.0/driver m/sys/bus/pci/devices/0000:41:00.0/reset && cvmbox gpu-ccmode set on --device 41:00.0 --sysroot m
    2| cvmbox gpu-ccmode: 0000:41:00.0: the kernel knows no way to reset it ('/sys/bus/pci/devices/0000:41:00.0/reset' is missing)
    2| cvmbox gpu-ccmode: hint: in a VM the host has to do this; else --no-reset stages the mode, and a power cycle applies it
    ? 3
    $ cvmbox gpu-ccmode set ppcie --all --no-reset --sysroot m
    2| cvmbox gpu-ccmode: protected PCIe takes 8 GPUs and 4 NVSwitches together, here are 1 and 0
    2| cvmbox gpu-ccmode: hint: --all takes every device of this machine; --allow-partial switches fewer, which attestation will not accept as a group
    ? 1
    $ cvmbox gpu-ccmode set on --all --no-reset --json --sysroot m | python3 -c 'import json,sys; j=json.load(sys.stdin); print(j["schema"], j["exit_code"])'
    cvmbox.gpu-ccmode.set/1 3
# a journal: none, one of somebody else's making, one that is waiting
    $ cvmbox gpu-ccmode set --rollback --sysroot m
    2| cvmbox gpu-ccmode: no mode switch is pending: there is no '/var/lib/cvmbox/ccmode/switch.json'
    ? 3
    $ cvmbox gpu-ccmode set --resume --journal nowhere
    2| cvmbox gpu-ccmode: no mode switch is pending: there is no journal
    ? 3
    $ mkdir -m 700 jd && echo '{"schema":"x"}' >jd/switch.json && chmod 600 jd/switch.json && cvmbox gpu-ccmode set --resume --journal jd --sysroot m
    2| cvmbox gpu-ccmode: cannot read the journal 'jd/switch.json': its schema is 'x', wanted 'cvmbox.gpu-ccmode.journal/1'
    2| cvmbox gpu-ccmode: hint: no journal of ours looks so: find out who wrote it, look at 'gpu-ccmode query --settings', then delete it
    ? 5
    $ cvmbox gpu-ccmode set on --all --no-reset --journal jd --sysroot m
    2| cvmbox gpu-ccmode: an earlier mode switch did not end: 'jd/switch.json' is its journal
    2| cvmbox gpu-ccmode: hint: 'gpu-ccmode set --resume' finishes it, 'gpu-ccmode set --rollback' undoes it
    ? 1
    $ chmod 666 jd/switch.json && cvmbox gpu-ccmode set --resume --journal jd --sysroot m
    2| cvmbox gpu-ccmode: cannot use 'jd/switch.json': its owner is user <*> and its mode 0666, so others could write it
    2| cvmbox gpu-ccmode: hint: it has to belong to user <*> and to be writable by nobody else
    ? 1
# ready: a recorded driver that takes it, ready CAPS STATE...: the state in its answers, one after the other
    $ printf '%s\n' \
      'caps=$1; shift; sh record $caps 00; f=r/dev/nvidiactl; sed "s/,{\"nr\":42,\"cmd\":\"0xcb330104\".*//" $f >$f.n' \
      'for s in "$@"; do printf "%s" ",{\"nr\":42,\"cmd\":\"0xcb330104\",\"size\":1,\"in\":\"\",\"out\":\"$s\"}" >>$f.n; done' \
      'printf "%s" ",{\"nr\":42,\"cmd\":\"0xcb330105\",\"size\":1,\"in\":\"${IN-01}\",\"out\":\"\",\"status\":\"${ST-0x0}\"}]}" >>$f.n' \
      'mv $f.n $f' >ready
    $ rm -rf r/sys/bus/pci/devices/* && sh gpu 0000:00:06.0 2330 030200 nvidia && : >r/dev/nvidia0 && sh ready 000202020000 00 && \
      cvmbox gpu-ccmode ready --sysroot r
    mode: on
    not ready: no work is accepted
    $ cvmbox gpu-ccmode ready on --sysroot r
    2| cvmbox gpu-ccmode: 'ready on' comes after a verification: --after FILE
    2| cvmbox gpu-ccmode: hint: cvmbox attest verify BUNDLE --nonce HEX --json >FILE, then --after FILE
    ? 2
    $ sh ready 000202020000 00 00 01 && cvmbox gpu-ccmode ready on --insecure-without-attestation --sysroot r
    mode: on
    insecure: --insecure-without-attestation was given
    ready: work is accepted
    $ sh ready 000202020000 01 && cvmbox gpu-ccmode ready on --insecure-without-attestation --sysroot r | tail -n 1
    ready: work is accepted, as before
    $ echo '{"schema":"cvmbox.attest.verify/1","result":"fail","exit_code":1}' >failed.json; cvmbox gpu-ccmode ready on --after failed.json --sysroot r >o 2>&1; echo $?; tail -n 1 o
    1
    cvmbox gpu-ccmode: <*>failed.json<*>
    $ cvmbox gpu-ccmode ready on --after absent.json --sysroot r >o 2>&1; echo $?
    4
    $ sh ready 000202020000 00 00 00 && cvmbox gpu-ccmode ready on --insecure-without-attestation --sysroot r
    2| cvmbox gpu-ccmode: the driver took the ready state 'ready' and still says 'not ready'
    ? 1
    $ ST=0x1f sh ready 000202020000 00 && cvmbox gpu-ccmode ready on --insecure-without-attestation --sysroot r
    2| cvmbox gpu-ccmode: CONF_COMPUTE_SYSTEM_SET_GPUS_STATE: the driver does not change its ready state any more (status 0x1f)
    2| cvmbox gpu-ccmode: hint: it was taken back before, or failed: load the nvidia module afresh, then attest again
    ? 1
    $ sh ready 000200000000 00 && cvmbox gpu-ccmode ready on --insecure-without-attestation --sysroot r
    2| cvmbox gpu-ccmode: confidential mode is off: there is no ready state to set
    2| cvmbox gpu-ccmode: hint: without confidential mode a GPU accepts work anyway
    ? 3
    $ cvmbox gpu-ccmode ready off --sysroot r
    2| cvmbox gpu-ccmode: 'ready off' cannot be taken back: the driver stays not ready until its module is loaded afresh
    2| cvmbox gpu-ccmode: hint: --until-module-reload says that this is wanted
    ? 2
    $ IN="" sh ready 000202020000 01 01 00 && cvmbox gpu-ccmode ready off --until-module-reload --sysroot r
    mode: on
    warn  ready.off  the driver accepts no work until its module is loaded afresh
    not ready: no work is accepted
# after a verification: its result has to be good, new, and about these GPUs
    $ printf '%s\n' 'printf "{\"schema\":\"$1\",\"time\":\"$(date -u -d "$2 seconds" +%FT%TZ)\",\"result\":\"$3\",\"exit_code\":$4,"' \
      'printf "\"insecure\":[],\"claims\":{\"nvgpu\":{\"GPU-0\":{\"x-nvidia-device-type\":\"gpu\"$5}}}}"' >result
    $ after() { sh result "$@" >v.json; sh ready 000202020000 00 00 01; cvmbox gpu-ccmode ready on --after v.json --sysroot r 2>&1 | grep -v hint; }; \
      v=cvmbox.attest.verify/1 b=',"bdf":"0000:00:06.0"'; after $v -10 pass 0 $b; after $v -10 warn 0 $b; after $v -10 pass 0; after $v -10 pass 0 ',"x-nvidia-gpu-driver-version":"580.2"'; \
      after $v -10 fail 1 $b; after $v -10 pass 1 $b; after $v -400 pass 0 $b; after $v +60 pass 0 $b; after $v -10 pass 0 ',"bdf":"0000:00:07.0"'; \
      after $v -10 pass 0 ',"uuid":"GPU-1"'; after x/1 -10 pass 0 $b; after $v -10 pass 0 "$b},\"GPU-1\":{\"x-nvidia-device-type\":\"gpu\""
    mode: on
    pass  ready.match  the result names every GPU of the driver
    pass  ready.result  the evidence was accepted
    ready: work is accepted
    mode: on
    pass  ready.match  the result names every GPU of the driver
    warn  ready.result  the evidence was accepted with warnings
    ready: work is accepted
    mode: on
    pass  ready.match  as many GPUs as the driver has; driver and VBIOS do not differ, names are not in the result
    pass  ready.result  the evidence was accepted
    ready: work is accepted
    cvmbox gpu-ccmode: cannot go by 'v.json': it is about GPUs with another driver than 580.1
    cvmbox gpu-ccmode: cannot go by 'v.json': the evidence was not accepted: its result is 'fail'
    cvmbox gpu-ccmode: cannot go by 'v.json': the evidence was not accepted: its result is 'pass'
    cvmbox gpu-ccmode: cannot go by 'v.json': it is 40<*> s old, wanted at most 300 s
    cvmbox gpu-ccmode: cannot go by 'v.json': it is from the future: <*>
    cvmbox gpu-ccmode: cannot go by 'v.json': GPU 0000:00:06.0 is not in it
    cvmbox gpu-ccmode: cannot go by 'v.json': GPU 0000:00:06.0 is not in it
    cvmbox gpu-ccmode: cannot go by 'v.json': it is not the result of a verification (schema cvmbox.attest.verify/1)
    cvmbox gpu-ccmode: cannot go by 'v.json': it is about 2 GPUs, the driver has 1
    $ sh result cvmbox.attest.verify/1 -10 pass 0 >v.json; sed -i 's/"insecure":\[\]/"simulated":true/' v.json; cvmbox gpu-ccmode ready on --after v.json --max-age 0 --sysroot r
    2| cvmbox gpu-ccmode: cannot go by 'v.json': it is 1<*> s old, wanted at most 0 s
    2| cvmbox gpu-ccmode: hint: collect and verify again, or say --max-age
    ? 1
# a machine without GPU
    $ rm -r r/sys/bus/pci/devices/* && cvmbox gpu-ccmode ready --sysroot r
    2| cvmbox gpu-ccmode: no GPU is bound to the nvidia driver, which keeps the ready state
    2| cvmbox gpu-ccmode: hint: the ready state is the guest's: ask in the machine that runs the work
    ? 3
# the exchange recorded on a real H100
    @need vectors
    $ mkdir -p h/sys/bus/pci/devices h/dev && sh gpu 0000:00:06.0 2330 030200 nvidia && mv r/sys/bus/pci/devices/0000:00:06.0 h/sys/bus/pci/devices/ && \
      cp "$CVMBOX_VECTORS/nvidia/ioctl/h100-580.159.04-cc-off.json" h/dev/nvidiactl && : >h/dev/nvidia0 && \
      cvmbox gpu-ccmode query -v --sysroot h
    BDF           NAME                   CC-CAPABLE  MODE  READY  DRIVER
    0000:00:06.0  NVIDIA H100 80GB HBM3  yes         off   no     nvidia 580.159.04
                  GPU-00000000-0000-0000-0000-000000000000, VBIOS 96.00.CF.00.01, memory 0 MiB protected and 81079 MiB not
                  manifest NV_GPU_VBIOS_G520_0200_885_9600CF0001
    pass  gpu.answer  1 of 1 GPU answered
    confidential mode: off (1 GPU)
    $ cvmbox gpu-ccmode query --sysroot h --json | python3 -c 'import json,sys; g=json.load(sys.stdin)["claims"]["gpus"][0]; \
      print(g["project"], g["project_sku"], g["chip_sku"], g["vbios_rim"], g["sec2_channels"], g["ce_channels"], g["key_rotation"], g["board"])'
    G520 0200 885 NV_GPU_VBIOS_G520_0200_885_9600CF0001 0 0 off None
