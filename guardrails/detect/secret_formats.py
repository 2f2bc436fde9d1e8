# ruff: noqa: E501 - tables and patterns read better on one line
"""Forms of keys and tokens, one row per provider format. Data only.

Sources: the providers' own documentation of their key formats. `needs` are lower-case literals of
which at least one must be in the text before the pattern is tried. A group named `v` narrows the
span to the value.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    name: str
    needs: tuple[str, ...]
    pattern: str
    entropy: float = 0.0  # bits per character that the value must have at least


_B = r"(?<![A-Za-z0-9_\-])"
_E = r"(?![A-Za-z0-9_\-])"

FORMATS = (
    Format("AWS access key", ("akia", "asia", "abia", "acca", "agpa", "aida", "aroa", "anpa"),
           rf"{_B}(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA)[A-Z2-7]{{16}}{_E}", 2.5),
    Format("AWS secret key", ("aws", "secret"),
           r"(?i:aws.{0,24}?(?:secret|sk).{0,24}?|secret_?access_?key.{0,8}?)[=:\"' ]{1,6}(?P<v>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", 4.0),
    Format("GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), rf"{_B}gh[pousr]_[A-Za-z0-9]{{36,251}}{_E}"),
    Format("GitHub fine-grained token", ("github_pat_",), rf"{_B}github_pat_[A-Za-z0-9]{{22}}_[A-Za-z0-9]{{59}}{_E}"),
    Format("GitLab token", ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", "glft-", "glimt-", "glagent-"),
           rf"{_B}gl(?:pat|dt|rt|cbt|ptt|soat|ft|imt|agent)-[A-Za-z0-9_\-.]{{20,64}}"),
    Format("OpenAI key", ("sk-",), rf"{_B}sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_\-]{{16,100}}T3BlbkFJ[A-Za-z0-9_\-]{{16,100}}"),
    Format("OpenAI project key", ("sk-proj-", "sk-svcacct-", "sk-admin-"), rf"{_B}sk-(?:proj|svcacct|admin)-[A-Za-z0-9_\-]{{40,200}}", 3.5),
    Format("Anthropic key", ("sk-ant-",), rf"{_B}sk-ant-(?:api|admin|oat|sid)\d{{2}}-[A-Za-z0-9_\-]{{60,120}}"),
    Format("OpenRouter key", ("sk-or-",), rf"{_B}sk-or-v1-[a-f0-9]{{64}}{_E}"),
    Format("sk- API key", ("sk-",), rf"{_B}sk-[A-Za-z0-9]{{32,64}}{_E}", 3.5),
    Format("Hugging Face token", ("hf_", "api_org_"), rf"{_B}(?:hf_|api_org_)[A-Za-z0-9]{{34,40}}{_E}"),
    Format("Google API key", ("aiza",), rf"{_B}AIza[A-Za-z0-9_\-]{{35}}{_E}"),
    Format("Google OAuth token", ("ya29.",), rf"{_B}ya29\.[A-Za-z0-9_\-]{{30,500}}"),
    Format("Google OAuth client secret", ("gocspx-",), rf"{_B}GOCSPX-[A-Za-z0-9_\-]{{28}}{_E}"),
    Format("Slack token", ("xox",), rf"{_B}xox[abeoprs]-(?:\d{{1,14}}-){{0,3}}[A-Za-z0-9\-]{{10,200}}"),
    Format("Slack app token", ("xapp-",), rf"{_B}xapp-\d-[A-Z0-9]{{8,20}}-\d{{8,16}}-[a-f0-9]{{32,128}}{_E}"),
    Format("Slack webhook", ("hooks.slack.com",), r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_\-]{20,200}"),
    Format("Stripe key", ("sk_live_", "sk_test_", "rk_live_", "rk_test_"), rf"{_B}[sr]k_(?:live|test)_[A-Za-z0-9]{{16,247}}{_E}"),
    Format("Stripe webhook secret", ("whsec_",), rf"{_B}whsec_[A-Za-z0-9+/=]{{24,64}}"),
    Format("Square token", ("eaaa", "sq0"), rf"{_B}(?:EAAA[A-Za-z0-9_\-]{{60}}|sq0(?:atp|csp|idp)-[A-Za-z0-9_\-]{{22,43}}){_E}"),
    Format("PayPal Braintree token", ("access_token$",), r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}"),
    Format("Twilio key", ("sk", "twilio"), rf"{_B}SK[a-f0-9]{{32}}{_E}", 3.0),
    Format("Twilio auth token", ("twilio",), r"(?i:twilio.{0,40}?(?:auth|token|secret).{0,12}?)(?<![A-Za-z0-9])(?P<v>[a-f0-9]{32})(?![A-Za-z0-9])", 3.0),
    Format("SendGrid key", ("sg.",), rf"{_B}SG\.[A-Za-z0-9_\-]{{20,24}}\.[A-Za-z0-9_\-]{{39,50}}{_E}"),
    Format("Mailgun key", ("key-", "mailgun"), rf"{_B}key-[a-f0-9]{{32}}{_E}"),
    Format("Mailchimp key", ("-us",), rf"{_B}[a-f0-9]{{32}}-us\d{{1,2}}{_E}"),
    Format("Brevo key", ("xkeysib-", "xsmtpsib-"), rf"{_B}x(?:key|smtp)sib-[a-f0-9]{{64}}-[A-Za-z0-9]{{16}}{_E}"),
    Format("npm token", ("npm_",), rf"{_B}npm_[A-Za-z0-9]{{36}}{_E}"),
    Format("PyPI token", ("pypi-",), rf"{_B}pypi-AgE[A-Za-z0-9_\-]{{50,1000}}"),
    Format("RubyGems key", ("rubygems_",), rf"{_B}rubygems_[a-f0-9]{{48}}{_E}"),
    Format("Docker Hub token", ("dckr_",), rf"{_B}dckr_(?:pat|oat)_[A-Za-z0-9_\-]{{27,40}}{_E}"),
    Format("DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), rf"{_B}do[opr]_v1_[a-f0-9]{{64}}{_E}"),
    Format("Heroku key", ("hrku-",), rf"{_B}HRKU-[A-Za-z0-9_\-]{{36,100}}"),
    Format("Heroku legacy key", ("heroku",), r"(?i:heroku.{0,30}?(?:key|token|secret).{0,8}?)(?P<v>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?![A-Za-z0-9])"),
    Format("Azure storage key", ("accountkey",), r"(?i:AccountKey)\s?=\s?(?P<v>[A-Za-z0-9+/]{86}==)"),
    Format("Azure shared access signature", ("sig=",), r"[?&;](?:sv|se|sr|sp|st)=[^\s\"']{1,300}?&sig=(?P<v>[A-Za-z0-9%/+]{40,80}={0,2})"),
    Format("Azure client secret", ("q~",), r"(?<![A-Za-z0-9_~.\-])[A-Za-z0-9_~.\-]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}(?![A-Za-z0-9_~.\-])", 3.5),
    Format("Azure DevOps or service bus key", ("sharedaccesskey",), r"(?i:SharedAccessKey)\s?=\s?(?P<v>[A-Za-z0-9+/]{43}=)"),
    Format("Databricks token", ("dapi",), rf"{_B}dapi[a-f0-9]{{32}}(?:-\d)?{_E}"),
    Format("Datadog key", ("datadog", "dd_api", "dd-api", "dd_app"), r"(?i:(?:datadog|dd)[ _\-]?(?:api|app|application)[ _\-]?key.{0,8}?)(?<![A-Za-z0-9])(?P<v>[a-f0-9]{40}|[a-f0-9]{32})(?![A-Za-z0-9])", 3.0),
    Format("New Relic key", ("nrak-", "nrjs-", "nrii-", "nral"), rf"{_B}(?:NRAK-[A-Z0-9]{{27}}|NRJS-[a-f0-9]{{19}}|NRII-[A-Za-z0-9_\-]{{32}}|[a-f0-9]{{36}}NRAL){_E}"),
    Format("Grafana token", ("glc_", "glsa_"), rf"{_B}(?:glc_[A-Za-z0-9+/]{{32,400}}={{0,2}}|glsa_[A-Za-z0-9]{{32}}_[a-fA-F0-9]{{8}})"),
    Format("Sentry token", ("sntrys_", "sntryu_"), rf"{_B}(?:sntrys_eyJ[A-Za-z0-9+/=_]{{80,400}}|sntryu_[a-f0-9]{{64}})"),
    Format("Cloudflare token", ("cloudflare", "cf_api", "cf-api"), r"(?i:(?:cloudflare|cf)[ _\-]?(?:api)?[ _\-]?(?:token|key).{0,8}?)(?<![A-Za-z0-9_\-])(?P<v>[A-Za-z0-9_\-]{40}|[a-f0-9]{37})(?![A-Za-z0-9_\-])", 3.5),
    Format("Cloudflare origin key", ("v1.0-",), rf"{_B}v1\.0-[a-f0-9]{{24}}-[a-f0-9]{{146}}{_E}"),
    Format("Fastly token", ("fastly",), r"(?i:fastly.{0,30}?(?:key|token).{0,8}?)(?<![A-Za-z0-9_\-])(?P<v>[A-Za-z0-9_\-]{32})(?![A-Za-z0-9_\-])", 3.5),
    Format("Atlassian token", ("atatt3", "atctt3"), rf"{_B}AT[AC]TT3[A-Za-z0-9_\-=]{{50,250}}"),
    Format("Linear key", ("lin_api_", "lin_oauth_"), rf"{_B}lin_(?:api|oauth)_[A-Za-z0-9]{{32,64}}{_E}"),
    Format("Notion token", ("ntn_", "secret_"), rf"{_B}(?:ntn_[A-Za-z0-9]{{40,50}}|secret_[A-Za-z0-9]{{43}}){_E}"),
    Format("Figma token", ("figd_",), rf"{_B}figd_[A-Za-z0-9_\-]{{36,50}}{_E}"),
    Format("Airtable token", ("pat",), rf"{_B}pat[A-Za-z0-9]{{14}}\.[a-f0-9]{{64}}{_E}"),
    Format("Asana token", ("asana",), r"(?i:asana.{0,30}?(?:token|key|secret|pat).{0,8}?)(?P<v>\d/\d{16}(?:/\d{16})?:[a-f0-9]{32}|\d/\d{16}:[A-Za-z0-9]{32})"),
    Format("Dropbox token", ("sl.",), rf"{_B}sl\.(?:u\.)?[A-Za-z0-9_\-]{{120,1000}}"),
    Format("Shopify token", ("shpat_", "shpca_", "shppa_", "shpss_"), rf"{_B}shp(?:at|ca|pa|ss)_[a-fA-F0-9]{{32}}{_E}"),
    Format("Facebook token", ("eaac", "eaab", "eaa"), rf"{_B}EAA[A-Za-z0-9]{{80,300}}{_E}"),
    Format("Discord bot token", (".",), r"(?<![A-Za-z0-9_\-.])[MNO][A-Za-z\d_\-]{23,27}\.[A-Za-z\d_\-]{6}\.[A-Za-z\d_\-]{27,40}(?![A-Za-z0-9_\-.])", 3.8),
    Format("Discord webhook", ("/api/webhooks/",), r"https://(?:\w{2,10}\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_\-]{60,80}"),
    Format("Teams webhook", ("webhook.office.com",), r"https://[a-z0-9\-]{1,60}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/\-]{60,250}"),
    Format("Telegram bot token", (":aa",), r"(?<![A-Za-z0-9_\-])\d{8,10}:AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])"),
    Format("HashiCorp Vault token", ("hvs.", "hvb.", "hvr."), rf"{_B}hv[sbr]\.[A-Za-z0-9_\-]{{24,300}}"),
    Format("Terraform Cloud token", ("atlasv1",), r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,70}"),
    Format("PlanetScale token", ("pscale_",), rf"{_B}pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_\-.=]{{32,64}}"),
    Format("Supabase key", ("sbp_", "sb_secret_"), rf"{_B}(?:sbp_[a-f0-9]{{40}}|sb_secret_[A-Za-z0-9_\-]{{31,50}}){_E}"),
    Format("Postman key", ("pmak-",), rf"{_B}PMAK-[a-f0-9]{{24}}-[a-f0-9]{{34}}{_E}"),
    Format("Groq key", ("gsk_",), rf"{_B}gsk_[A-Za-z0-9]{{52}}{_E}"),
    Format("Replicate token", ("r8_",), rf"{_B}r8_[A-Za-z0-9]{{37}}{_E}"),
    Format("xAI key", ("xai-",), rf"{_B}xai-[A-Za-z0-9]{{60,90}}{_E}"),
    Format("Perplexity key", ("pplx-",), rf"{_B}pplx-[A-Za-z0-9]{{40,60}}{_E}"),
    Format("Mistral, Cohere or DeepL key", ("mistral", "cohere", "deepl"), r"(?i:(?:mistral|cohere|deepl).{0,20}?(?:key|token|clé|cle).{0,8}?)(?<![A-Za-z0-9\-])(?P<v>[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}(?::fx)?|[A-Za-z0-9]{32,40})(?![A-Za-z0-9\-])", 3.3),
    Format("Scaleway key", ("scw",), rf"{_B}SCW[A-Z0-9]{{17}}{_E}"),
    Format("Alibaba key", ("ltai",), rf"{_B}LTAI[A-Za-z0-9]{{12,20}}{_E}"),
    Format("Yandex key", ("aqvn", "y0_"), rf"{_B}(?:AQVN[A-Za-z0-9_\-]{{35,38}}|y0_[A-Za-z0-9_\-]{{50,100}}){_E}"),
    Format("JSON web token", ("eyj",), r"(?<![A-Za-z0-9_\-.])eyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{10,1000}"),
    Format("private key", ("private key",), r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,8000}?(?:-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----|\Z)"),
    Format("PuTTY private key", ("putty-user-key-file",), r"PuTTY-User-Key-File-\d:[\s\S]{0,8000}?Private-MAC: ?[a-f0-9]{40,64}"),
    Format("age secret key", ("age-secret-key-1",), r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    Format("password in a link", ("://",), r"[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s:/@\"'<>]{0,64}:(?P<v>[^\s:/@\"'<>]{3,128})@[\w.\-]{1,128}"),
    Format("basic authorization header", ("basic ",), r"(?i:authorization)[\"']?\s?[:=]\s?[\"']?(?i:basic) (?P<v>[A-Za-z0-9+/]{12,500}={0,2})"),
    Format("bearer token", ("bearer ",), r"(?i:bearer) (?P<v>[A-Za-z0-9_\-.~+/]{20,1000}=*)(?![A-Za-z0-9])", 3.3),
)  # fmt: skip
"""First match wins where two overlap with the same length."""
