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
# there is no verb that changes anything
    $ cvmbox gpu-ccmode set on
    2| cvmbox gpu-ccmode: unknown verb 'set'
    2| cvmbox gpu-ccmode: hint: cvmbox gpu-ccmode --help lists the verbs
    ? 2
# the exchange recorded on a real H100
    @need vectors
    $ mkdir -p h/sys/bus/pci/devices h/dev && mv r/sys/bus/pci/devices/0000:00:06.0 h/sys/bus/pci/devices/ && \
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
