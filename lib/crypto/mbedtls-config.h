/*
 * Mbed TLS 3.6 build configuration of cvmbox.
 *
 * This file is a whole configuration, not an addition to upstream's: it takes
 * the place of include/mbedtls/mbedtls_config.h.  scripts/deps installs it
 * under that name in each flavour's include folder and compiles the library
 * against those installed headers, so a program needs nothing but
 * -I build/deps/FLAVOUR/include to see the same options as the library: no
 * -DMBEDTLS_CONFIG_FILE and no -DMBEDTLS_USER_CONFIG_FILE.  A change here
 * makes scripts/deps rebuild mbedtls and curl.
 *
 * No include guard and no #include of our own: mbedtls/build_info.h includes
 * this file once, sets what follows from it and runs check_config.h.
 */

/* ---- platform ---------------------------------------------------------- */

/* Assembly bignum (MULADDC) and, on x86-64, AES-NI/PCLMULQDQ: picked at run
 * time after CPUID, the tables below are the fallback. */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_FS_IO
/* Contexts are shared by the HTTPS server's threads and by curl's. */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD
#define MBEDTLS_VERSION_C
/* mbedtls_strerror() with texts: 20 KB that make a failed handshake or a bad
 * certificate say what is wrong instead of a number. */
#define MBEDTLS_ERROR_C
#define MBEDTLS_NET_C

/* ---- random ------------------------------------------------------------ */

/* Seeded from getrandom(2) (entropy_poll.c); no seed files. */
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_HMAC_DRBG_C

/* ---- symmetric --------------------------------------------------------- */

#define MBEDTLS_CIPHER_C
#define MBEDTLS_AES_C
#define MBEDTLS_AESNI_C
#define MBEDTLS_AESCE_C
/* Constant tables: nothing is generated at run time, so no start-up race
 * between threads and no writable tables. */
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_CIPHER_MODE_CBC
/* TPM 2.0 parameter encryption is AES-CFB. */
#define MBEDTLS_CIPHER_MODE_CFB
#define MBEDTLS_CIPHER_MODE_CTR
#define MBEDTLS_CIPHER_MODE_XTS
#define MBEDTLS_CIPHER_PADDING_PKCS7
#define MBEDTLS_GCM_C
#define MBEDTLS_NIST_KW_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C

/* ---- hashes and key derivation ----------------------------------------- */

#define MBEDTLS_MD_C
#define MBEDTLS_MD5_C
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
/* arm64: the SHA extensions where the CPU has them. */
#if defined(__aarch64__)
#define MBEDTLS_SHA256_USE_ARMV8_A_CRYPTO_IF_PRESENT
#define MBEDTLS_SHA512_USE_A64_CRYPTO_IF_PRESENT
#endif
#define MBEDTLS_HKDF_C
#define MBEDTLS_PKCS5_C

/* ---- public key -------------------------------------------------------- */

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_GENPRIME
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_SECP521R1_ENABLED
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_PARSE_EC_EXTENDED
#define MBEDTLS_PK_PARSE_EC_COMPRESSED
#define MBEDTLS_PK_WRITE_C
/* A key that lives elsewhere (TPM) can stand in for an RSA key. */
#define MBEDTLS_PK_RSA_ALT_SUPPORT

/* ---- encodings and X.509 ------------------------------------------------ */

#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_OID_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_PEM_WRITE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CRL_PARSE_C
#define MBEDTLS_X509_CSR_PARSE_C
#define MBEDTLS_X509_CREATE_C
#define MBEDTLS_X509_CRT_WRITE_C
#define MBEDTLS_X509_CSR_WRITE_C
/* AMD's ARK/ASK/VCEK chain is signed with RSASSA-PSS. */
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT

/* ---- PSA: TLS 1.3 is written on it -------------------------------------- */

/* TLS 1.3 needs PSA_CRYPTO_C.  The handshake calls psa_crypto_init() itself;
 * no key is stored, so no storage.  USE_PSA_CRYPTO stays off: everything else
 * goes the classic way, without a second implementation of it being linked. */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_KEY_STORE_DYNAMIC

/* ---- TLS 1.2 and 1.3, client and server --------------------------------- */

#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_SSL_ALL_ALERT_MESSAGES
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_ENCRYPT_THEN_MAC
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
/* RFC 5705/8446 exporters: bind evidence to the connection that carries it. */
#define MBEDTLS_SSL_KEYING_MATERIAL_EXPORT
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_SESSION_TICKETS

/*
 * Left out on purpose: DTLS, renegotiation, PSK and static-RSA/DH key
 * exchange, session cache and ticket issue, SSL debug texts, self tests, CCM,
 * CMAC, DES, ARIA, Camellia, RIPEMD-160, SHA-3, finite-field DH, EC J-PAKE,
 * LMS, PKCS#7, PKCS#12, key storage, VIA PadLock, the timing module, and all
 * curves but the four above.
 */
