/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_POLICY_H
#define CVMBOX_ATTEST_POLICY_H

/* The declarative policy file (JSON, no code) of `attest verify --policy` and `kbs serve --policy`.  Unknown members
 * are errors.
 *
 *   schema               "cvmbox.policy/1"
 *   kinds                TEE kinds that are accepted; left out: all but sample and tpm, and, where accepted values of one
 *                        maker are listed (chip_ids, rtmrs, pcrs, ..), only kinds that have some of them.  Devices beside a TEE need
 *                        no entry; nvgpu and nvswitch count where the list names nothing else: devices without a machine
 *   measurements         accepted launch measurements (hex): SNP measurement, TDX MRTD, CCA initial measurement; left out: any
 *   init_data            accepted initdata digests (hex, as long as the TEE's field)
 *   allow_debug, allow_migrate   booleans
 *   max_collateral_age   seconds since TCB info, QE identity and revocation lists were issued
 * SNP
 *   host_data, chip_ids, family_ids, image_ids, id_key_digests, author_key_digests   accepted values (hex); left out: any
 *   min_tcb, min_committed_tcb, min_launch_tcb, min_current_tcb
 *                        {"fmc","bootloader","tee","snp","microcode"}, each part at least this; also {"Milan": {..}, "Turin": {..}}
 *   min_report_version   2 to 5
 *   vmpl_max             0 to 3
 *   min_guest_svn, min_abi ("1.55")
 *   platform             {"smt","tsme","ecc","rapl_dis","ciphertext_hiding","alias_check","sev_tio"}: bits that must be so
 *   guest_policy         {"smt","single_socket","cxl_allow","mem_aes_256_xts","rapl_dis","ciphertext_hiding","page_swap_disable"}
 *   mitigations          bits that both mitigation vectors must have, number or "0x.."
 * TDX
 *   tcb_status           accepted statuses; left out: UpToDate.  Revoked and NotSupported never are, unless the check tdx.tcb.status
 *                        is ignored altogether
 *   advisories           advisory ids that are tolerated, [] for none; left out: any that comes with an accepted status
 *   min_tcb_evaluation   at least this tcbEvaluationDataNumber
 *   mr_seam, mr_config_id, mr_owner, mr_owner_config, xfam, fmspc, ppid   accepted values (hex, bytes as stored)
 *   rtmrs                {"0": [hex], ..}
 *   td_attributes        {"sept_ve_disable","pks","kl","perfmon"}: bits that must be so
 *   allow_service_td     boolean
 * TPM (also Azure's) and event logs
 *   pcrs                 {"11": [hex], ..}, of the bank that was quoted
 *   ak_keys              SHA-256 of accepted attestation keys (SubjectPublicKeyInfo, hex)
 *   kernel_cmdlines      accepted kernel command lines, whole, as text
 *   boot_images          Authenticode digests of what may be started
 *   secure_boot          true: it has to be on
 * CCA
 *   implementation_ids, instance_ids, realm_personalization, rems {"0": [hex], ..}
 *
 * NVIDIA GPUs and NVSwitches
 *   gpu_count            exactly so many GPUs
 *   gpu_modes            accepted ["spt","mpt","ppcie"]; left out: any confidential one, the same for all
 *   gpu_ueids            accepted devices: serial numbers of their leaf certificates, decimal
 *   gpu_drivers, gpu_vbios, switch_bios   accepted versions; left out: any that has a reference manifest
 *   min_gpu_driver, min_gpu_vbios         at least this version, compared part by part (VBIOS: hexadecimal)
 *   gpu_measurements     {"9": [hex], ..}: accepted values, beside those of the manifests or where there is none
 *   gpu_accepted_mismatches   [9, 36]: these measurements may differ; the verdict warns
 *   gpu_tolerate         what certificate chains may be: "driver-rim.expired", "vbios-rim.revoked", "device.hold", ..
 *   gpu_ocsp             how fresh the status of certificates has to be: "live" (asked for after the nonce was chosen), "cached" (left
 *                        out: this), "none"
 *   gpu_claims, switch_claims   members that NVIDIA's claims must equal, objects recursively
 *   nras_claims          {"overall": {..}, "detached": {..}}: the same for tokens of NVIDIA's service
 *
 * A policy of NVIDIA's SDK ({"version", "authorization-rules"}) is read, too: its claims are asked for on top of the strict policy.
 *
 *   checks               {CHECK-ID: "require"|"warn"|"ignore"}; those that everything stands on (signature, chain,
 *                        report data, ...) only "require".
 *                        "require" by name also wants that the check applies: a check that has nothing to compare
 *                        with fails then.  One that has to hold and is ignored is a warning; those that stand on it have to be
 *                        ignored too
 *   resources            [{"path":"repo/type/tag","kinds":[..],"measurements":[..]}]: what a key broker may hand to
 *                        whom.  '*' at the end of a path stands for
 *                        any rest.  When the list is there, a resource that no rule names is denied; a rule without
 *                        measurements takes any accepted evidence. */

#include "base/buf.h"
#include "codec/json.h"

struct policy;
#define AUTO_POLICY __attribute__((cleanup(policy_cleanup))) struct policy
int policy_parse(struct policy **ret, struct slice text, const char *name, struct err *e);	/* name: for check sources, "file.json" */
int policy_read(struct policy **ret, const char *file, struct err *e);	/* a file named by the user, at most 1 MiB */
void policy_free(struct policy *p);
void policy_cleanup(struct policy **p);
int policy_default_text(struct buf *ret, struct err *e);	/* what --print-policy prints; parses back to the default */

/* May a guest that was accepted with these claims (of its TEE, as in verdict.claims.KIND) have the resource
 * "repo/type/tag"?  0, or EC_DENIED with the reason. */
int policy_resource(const struct policy *p, const char *path, const char *kind, const struct json *claims, struct err *e);

#endif
