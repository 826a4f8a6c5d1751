/**
 * The examples in the help and the manual page of each command, by the command's name; "" stands for the program. A comment
 * line may precede an example.
 */

export const examples: Readonly<Record<string, readonly string[]>> = {
  "": [
    "# publish a folder of packages as one feed",
    "feedkey keygen --user-id 'Example Archive <archive@example.org>'",
    "feedkey publish /srv/archive --key FINGERPRINT",
    "# install from it, for the fingerprint that its keepers gave you",
    "feedkey profile init https://archive.example.org/ --fingerprint FINGERPRINT \\",
    "    --name example --feed base=.",
    "feedkey --profile ./example.ini update",
    "feedkey --profile ./example.ini fetch hello",
  ],
  keygen: ["feedkey keygen --user-id 'Example Archive <archive@example.org>'"],
  sign: [
    "feedkey sign Packages --key FINGERPRINT --feed base",
    "feedkey sign SHA256SUMS --key FINGERPRINT --clearsign --valid-for never",
  ],
  publish: ["feedkey publish /srv/archive --key FINGERPRINT", "feedkey publish --config archive.ini --dry-run"],
  "sign-package": ["feedkey sign-package hello-1.0.tgz --key FINGERPRINT -o signed/"],
  rotate: [
    "feedkey rotate --config archive.ini --backup /media/stick",
    "# after the overlap",
    "feedkey rotate --config archive.ini --finish",
    "feedkey rotate --config archive.ini --status --svg > rotation.svg",
  ],
  revoke: [
    "feedkey revoke FINGERPRINT --reason superseded --config archive.ini --dry-run",
    "# a stolen key",
    "feedkey revoke FINGERPRINT --reason compromised --config archive.ini --force",
  ],
  delegate: [
    "feedkey delegate builder.asc --key FINGERPRINT --feeds 'base,extra-*' \\",
    "    --expires 90d -o builder-certified.asc",
    "feedkey delegate --status",
  ],
  rehearse: ["feedkey rehearse --config archive.ini rotate --at-once"],
  send: ["feedkey send FINGERPRINT --keyserver hkps://keys.example.org"],
  receive: ["feedkey receive FINGERPRINT --keyserver hkps://keys.example.org"],
  "key list": ["feedkey key list"],
  "key show": ["feedkey key show FINGERPRINT"],
  "key export": [
    "feedkey key export > archive-keys.asc",
    "feedkey key export FINGERPRINT --secret-subkeys -o signer.asc",
  ],
  "key import": ["feedkey key import builder-certified.asc --config archive.ini"],
  "key extend": ["feedkey key extend FINGERPRINT --expires 2y --config archive.ini"],
  "key subkey": ["feedkey --home /media/stick/keys key subkey add FINGERPRINT -o signer.asc"],
  "key passwd": ["feedkey key passwd FINGERPRINT"],
  "key delete": ["feedkey key delete FINGERPRINT --backup /media/stick/backup --dry-run"],
  "key backup": ["feedkey key backup /media/stick/backup"],
  "key restore": ["feedkey key restore /media/stick/backup"],
  "profile list": ["feedkey profile list"],
  "profile show": ["feedkey profile show example"],
  "profile check": ["feedkey profile check ./example.ini"],
  "profile add-seed": ["feedkey --profile ./example.ini profile add-seed FINGERPRINT"],
  "profile init": [
    "feedkey profile init https://archive.example.org/ --fingerprint FINGERPRINT \\",
    "    --name example --feed base=feeds/base --keyservers hkps://keys.example.org",
  ],
  refresh: ["feedkey --profile example refresh"],
  chain: ["feedkey --profile example chain", "feedkey --profile example chain --svg > chain.svg"],
  export: ["feedkey --profile example export --for gpgv /usr/share/keyrings/example.gpg"],
  setup: ["feedkey --profile example setup opkg --dry-run", "feedkey --profile example setup apt --root /mnt/target"],
  status: [
    "feedkey --profile example status",
    "feedkey status --config archive.ini --warn-within 30d",
    "feedkey status --config archive.ini --prometheus",
  ],
  update: ["feedkey --profile example update", "feedkey --profile example update base"],
  list: ["feedkey --profile example list 'lib*'"],
  search: ["feedkey --profile example search http server"],
  show: ["feedkey --profile example show hello"],
  fetch: [
    "feedkey --profile example fetch hello=1.0 -o packages/",
    "feedkey --profile example fetch 'lib*' 'hello=1.*' -o packages/",
  ],
  mirror: [
    "feedkey --profile example mirror base /srv/mirror",
    "feedkey --profile example mirror base /srv/mirror 'lib*' --with-depends",
  ],
  verify: [
    "feedkey --profile example verify Packages --packages . --complete",
    "feedkey --profile example verify SHA256SUMS image.iso --no-state",
  ],
  "verify-package": ["feedkey --profile example verify-package hello-1.0.tgz"],
  init: ["feedkey init"],
  serve: ["feedkey serve /srv/archive --port 8080 --keyserver keys/"],
  completion: [
    'eval "$(feedkey completion bash)"',
    "feedkey completion fish > ~/.config/fish/completions/feedkey.fish",
  ],
  demo: ["feedkey demo"],
};
