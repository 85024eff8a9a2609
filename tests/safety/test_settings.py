"""The paper-only lock: what is read, what is refused, and that a refusal says enough and never too much."""

from __future__ import annotations

import random
import string
from pathlib import Path

import msgspec
import pytest

from paperdesk.safety.config_file import KEYS
from paperdesk.safety.senders import entry_of
from paperdesk.safety.settings import (
    LOG_LEVELS,
    VARIABLES,
    DoorSettings,
    FeeTier,
    LimitSettings,
    Settings,
    SettingsRefused,
    read_settings,
)

FULL = """
feed = "replay"
data = ["recordings/btcusdt.jsonl.zst", "/abs/eth.parquet"]
symbols = ["BTCUSDT", "ETH/BTC"]
strategy = "strategies/mine.py"
speed = 2.5
balance = ["10000USDT", "0.5BTC", "10 1INCH", "3:1000SATS"]
home = "desk"
seed = 7
reporting = "USDT"
latency_ms = 20
latency_model = "measured.csv"
fill_model = "pessimistic"
fill_band = true
shadow = true
instruments = "instruments.json"
conversions = ["BTCUSDT"]

[parameters]
fast = 12
slow = 26.5
side = "both"
adaptive = true
levels = [1, 2.5, 3]

[door]
senders = [{ url = "https://ntfy.example.com/my-desk", purpose = "notify" }]

[fees]
tiers = [{ volume = "0", maker = "0.001", taker = "0.002" }, { volume = "1000000", maker = "0", taker = "0.0005" }]

[limits]
max_order = "1000"
max_position = "5000.00000001"
max_exposure = "8000"
max_daily_loss = "250.50"
max_drawdown = "1000"
cooldown_s = 60

[bot_limits]
max_order = "500"
"""

HEX_KEY = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
EXCHANGE_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
BASE64_KEY = "Zm9vYmFy+mRvbm90c2hhcmU/dGhpc2lzYXZlcnlsb25na2V5MTIzNDU2Nzg5MGFiY2RlZmdo=="
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN EC PRIVATE KEY-----"
SECRETS = [
    HEX_KEY,
    HEX_KEY.upper(),
    EXCHANGE_KEY,
    BASE64_KEY,
    JWT,
    PEM,
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnop0123456789",
    f"binance:{EXCHANGE_KEY}",
    f"key={EXCHANGE_KEY}",
    "https://me:hunter22@example.org/data",
]


def refusal(environ: dict[str, str], config: Path | None = None) -> str:
    with pytest.raises(SettingsRefused) as caught:
        read_settings(environ, config)
    assert caught.value.exit_code == 78
    message = str(caught.value)
    assert message == caught.value.message
    for part in ("Paperdesk did not start: ", "\n  where:      ", "\n  why:        ", "\n  what to do: "):
        assert message.count(part) == 1, f"a refusal says what, where, why and what to do:\n{message}"
    return message


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "paperdesk.toml"


def written(config: Path, text: str) -> Path:
    config.write_text(text, encoding="utf-8")
    return config


# The two switches


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"PAPER_TRADING_MODE": "true"},
        {"ALLOW_REAL_TRADES": "false"},
        {"PAPER_TRADING_MODE": "true", "ALLOW_REAL_TRADES": "false"},
    ],
)
def test_paper_is_the_default_and_the_only_mode(environ: dict[str, str]) -> None:
    assert read_settings(environ) == Settings()


@pytest.mark.parametrize(
    "value",
    ["", "false", "True", "TRUE", " true", "true ", "true\n", "1", "yes", "on", "t", "truе", "live", "0", "'true'"],
)
def test_paper_trading_mode_is_exactly_true(value: str) -> None:
    message = refusal({"PAPER_TRADING_MODE": value})
    assert "PAPER_TRADING_MODE is " in message and "environment variable PAPER_TRADING_MODE" in message
    assert "PAPER_TRADING_MODE=true" in message and "on paper only" in message


@pytest.mark.parametrize(
    "value", ["", "true", "False", "FALSE", " false", "false ", "0", "no", "off", "never", "fаlse", "1"]
)
def test_allow_real_trades_is_exactly_false(value: str) -> None:
    message = refusal({"ALLOW_REAL_TRADES": value})
    assert "ALLOW_REAL_TRADES is " in message and "ALLOW_REAL_TRADES=false" in message


@pytest.mark.parametrize("name", ["allow_real_trades", "Paper_Trading_Mode", "ALLOW_REAL_trades"])
def test_a_switch_in_another_spelling_stops_the_desk(name: str) -> None:
    for value in ("true", "false"):
        message = refusal({name: value})
        assert name in message and name.upper() in message


def test_one_bad_switch_is_enough() -> None:
    refusal({"PAPER_TRADING_MODE": "true", "ALLOW_REAL_TRADES": "true"})
    refusal({"PAPER_TRADING_MODE": "false", "ALLOW_REAL_TRADES": "false"})


def test_a_switch_that_holds_a_key_is_not_shown() -> None:
    message = refusal({"PAPER_TRADING_MODE": EXCHANGE_KEY})
    assert EXCHANGE_KEY[:8] not in message and "not shown" in message
    assert len(refusal({"ALLOW_REAL_TRADES": "x" * 50_000})) < 1_000


def test_the_file_cannot_turn_the_lock(config: Path) -> None:
    for line in (
        "paper_trading_mode = false",
        "allow_real_trades = true",
        "live = true",
        'mode = "live"',
        'feed = "live"',
    ):
        refusal({}, written(config, line))


def test_no_field_could_mean_live_trading() -> None:
    words = (
        "live",
        "real",
        "allow",
        "permission",
        "key",
        "secret",
        "token",
        "credential",
        "exchange",
        "endpoint",
        "url",
        "broker",
        "mode",
    )
    fields = [*Settings.__struct_fields__, *LimitSettings.__struct_fields__]
    assert [field for field in fields if any(word in field.replace("_model", "") for word in words)] == []


def test_settings_cannot_change_once_read() -> None:
    settings = read_settings({})
    for name in Settings.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(settings, name, None)
    with pytest.raises(TypeError):
        Settings(live=True)  # type: ignore[call-arg]


# Variables


def test_known_variables_are_read(tmp_path: Path) -> None:
    config = written(tmp_path / "desk.toml", 'seed = 3\nhome = "in-file"')
    environ = {"PAPERDESK_HOME": "/srv/desk", "PAPERDESK_CONFIG": str(config), "PAPERDESK_LOG_LEVEL": "debug"}
    settings = read_settings(environ)
    assert (settings.home, settings.config_path, settings.log_level, settings.seed) == (
        Path("/srv/desk"),
        config,
        "debug",
        3,
    )
    assert read_settings({"PAPERDESK_CONFIG": str(config)}).home == tmp_path / "in-file"


def test_the_given_file_wins_over_the_variable(tmp_path: Path) -> None:
    given = written(tmp_path / "given.toml", "seed = 1")
    assert read_settings({"PAPERDESK_CONFIG": str(tmp_path / "missing.toml")}, given).seed == 1


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("PAPERDESK_HOMES", "PAPERDESK_HOME"),
        ("PAPERDESK_CONFG", "PAPERDESK_CONFIG"),
        ("PAPERDESK_LOGLEVEL", "PAPERDESK_LOG_LEVEL"),
        ("paperdesk_home", "PAPERDESK_HOME"),
    ],
)
def test_an_unknown_variable_names_the_nearest(name: str, nearest: str) -> None:
    message = refusal({name: "x"})
    assert f"{name} is not a setting" in message and f"did you mean {nearest}?" in message


def test_an_unknown_variable_without_a_near_one_lists_all() -> None:
    message = refusal({"PAPERDESK_": "1"})
    assert all(name in message for name in VARIABLES)
    refusal({"PAPERDESK_LIVE": ""})


@pytest.mark.parametrize("name", VARIABLES)
def test_an_empty_variable_is_refused(name: str) -> None:
    assert f"{name} is empty" in refusal({name: ""})


@pytest.mark.parametrize("level", ["INFO", "warn", "trace", " info", "loud"])
def test_an_unknown_log_level_is_refused(level: str) -> None:
    message = refusal({"PAPERDESK_LOG_LEVEL": level})
    assert all(known in message for known in LOG_LEVELS)


def test_other_programs_variables_are_none_of_our_business() -> None:
    environ = {
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "BINANCE_API_KEY": EXCHANGE_KEY,
        "MY_PAPERDESK_TOKEN": JWT,
        "PAPERDESK": "1",
        "PATH": "/usr/bin",
        "API_SECRET": PEM,
    }
    assert read_settings(environ) == Settings()


# Credentials


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", VARIABLES)
def test_a_credential_in_a_known_variable_is_refused_unseen(name: str, secret: str) -> None:
    message = refusal({name: secret})
    assert name in message and "looks like" in message
    assert_hidden(secret, message)


@pytest.mark.parametrize(
    "name",
    [
        "API_KEY",
        "APIKEY",
        "SECRET",
        "BINANCE_TOKEN",
        "PASSWORD",
        "DB_PASSWD",
        "PRIVATE_KEY",
        "ACCESS_KEY_ID",
        "JWT",
        "WALLET_MNEMONIC",
    ],
)
def test_a_variable_named_like_a_credential_is_refused_unseen(name: str) -> None:
    message = refusal({f"PAPERDESK_{name}": "hunter22"})
    assert f"PAPERDESK_{name}" in message and "by its name" in message
    assert "hunter22" not in message


def test_a_credential_as_a_variables_name_is_not_shown() -> None:
    message = refusal({f"PAPERDESK_X/{EXCHANGE_KEY}": "1"})
    assert_hidden(EXCHANGE_KEY, message)
    assert_hidden(HEX_KEY, refusal({f"PAPERDESK_{HEX_KEY.upper()}": "1"}).lower())


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seed = 1\nstrategy = '{}'", 2),
        ("\n\n[parameters]\nfast = 1\nnote = '{}'", 5),
        ("[parameters]\nlevels = [\n  1,\n  '{}',\n]", 2),
        ("data = ['a', '{}']", 1),
        ("parameters = {{ deep = {{ note = '{}' }} }}", 1),
        ("[venue]\nsomething = '{}'", 2),
        ("[[bots]]\nx = 1\n[[bots]]\nnote = '{}'", 4),
    ],
)
def test_a_credential_in_the_file_is_refused_unseen_with_its_line(
    config: Path, text: str, line: int, secret: str
) -> None:
    message = refusal({}, written(config, text.format(secret)))
    assert f"paperdesk.toml:{line}\n" in message and "looks like" in message
    assert_hidden(secret, message)


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "API-KEY", "secret", "token", "password", "private_key", "privateKey", "passphrase"]
)
@pytest.mark.parametrize(
    "template",
    ["{} = 'hunter22'", "[parameters]\n{} = 'hunter22'", "[a.b]\n{} = 1", "[{}]\nx = 'hunter22'", "[limits]\n{} = ''"],
)
def test_a_key_named_like_a_credential_is_refused_unseen(config: Path, name: str, template: str) -> None:
    message = refusal({}, written(config, template.format(name)))
    assert name in message and "by its name" in message and "hunter22" not in message
    assert "paperdesk.toml:" in message


def test_a_credential_as_a_key_or_file_name_is_not_shown(config: Path, tmp_path: Path) -> None:
    assert_hidden(EXCHANGE_KEY, refusal({}, written(config, f"{EXCHANGE_KEY} = 1")))
    assert_hidden(EXCHANGE_KEY, refusal({}, Path(EXCHANGE_KEY)))


def test_random_keys_are_seen_and_never_shown(config: Path) -> None:
    seed = 20240808
    dice = random.Random(seed)
    alphabets = {
        "hex": "0123456789abcdef",
        "alnum": string.ascii_letters + string.digits,
        "url": string.ascii_letters + string.digits + "-_",
    }
    for round_ in range(300):
        kind = sorted(alphabets)[round_ % 3]
        secret = "".join(dice.choice(alphabets[kind]) for _ in range(dice.randint(64, 120)))
        message = refusal({}, written(config, f'strategy = "{secret}"'))
        assert "looks like" in message and secret[:12] not in message, f"seed {seed}, round {round_}, {kind}"


def test_a_key_in_base64_with_slashes_is_seen() -> None:
    seed = 7
    dice = random.Random(seed)
    alphabet = string.ascii_letters + string.digits + "+/"
    missed = 0
    for _ in range(2_000):
        secret = "".join(dice.choice(alphabet) for _ in range(88))
        try:
            read_settings({"PAPERDESK_HOME": secret})
        except SettingsRefused:
            continue
        missed += 1
    assert missed <= 60, f"seed {seed}: {missed} of 2,000 keys taken for paths"


@pytest.mark.parametrize(
    "path",
    [
        "/home/someone/.local/share/paperdesk/recordings/binance/spot/2024/08/08/BTCUSDT",
        f"/srv/recordings/sha256/{HEX_KEY}",
        f"recordings/{HEX_KEY}.parquet",
        "recordings/binance/spot/daily/klines/BTCUSDT/1m/2024/08/part0001/of0012",
        "../../a/very/long/way/up/and/down/again/through/many/folders/to/Recordings2024",
        "/var/spool/runs-of-someone/pytest-12/test_with_a_very_long_name_that_goes_on_and_on0/desk",
        "C:/Users/Someone/AppData/Local/paperdesk/recordings/binance/2024/BTCUSDT/trades",
    ],
)
def test_paths_are_not_taken_for_credentials(path: str, config: Path) -> None:
    assert read_settings({"PAPERDESK_HOME": path}).home == Path(path)
    assert read_settings({}, written(config, f'data = ["{path}"]')).data == (config.parent / path,)


@pytest.mark.parametrize(
    "name",
    ["keys", "key_level", "monkey", "token_free", "tokenizer", "max_orders", "author", "secretary", "passes", "fast"],
)
def test_harmless_parameter_names(config: Path, name: str) -> None:
    text = f"[parameters]\n{name} = 1"
    if name == "token_free":  # errs towards refusing
        refusal({}, written(config, text))
    else:
        assert read_settings({}, written(config, text)).parameters == {name: 1}


# The file


def test_a_full_file_is_read(config: Path) -> None:
    settings = read_settings({}, written(config, FULL))
    folder = config.parent
    assert settings == Settings(
        config_path=config,
        home=folder / "desk",
        feed="replay",
        data=(folder / "recordings/btcusdt.jsonl.zst", Path("/abs/eth.parquet")),
        symbols=("BTCUSDT", "ETH/BTC"),
        strategy=str(folder / "strategies/mine.py"),
        parameters={"fast": 12, "slow": 26.5, "side": "both", "adaptive": True, "levels": [1, 2.5, 3]},
        speed=2.5,
        balance=("10000USDT", "0.5BTC", "10 1INCH", "3:1000SATS"),
        seed=7,
        reporting="USDT",
        latency_ms=20.0,
        latency_model=str(folder / "measured.csv"),
        fill_model="pessimistic",
        fill_band=True,
        shadow=True,
        fees=(
            FeeTier(volume="0", maker="0.001", taker="0.002"),
            FeeTier(volume="1000000", maker="0", taker="0.0005"),
        ),
        limits=settings.limits,
        bot_limits=settings.bot_limits,
        instruments=folder / "instruments.json",
        door=DoorSettings(senders=(entry_of("https://ntfy.example.com/my-desk", "notify", 1),)),
        conversions=("BTCUSDT",),
    )
    assert settings.bot_limits.max_order == "500"
    assert msgspec.structs.asdict(settings.limits) == {
        "max_order": "1000",
        "max_position": "5000.00000001",
        "max_exposure": "8000",
        "max_daily_loss": "250.50",
        "max_drawdown": "1000",
        "cooldown_s": 60,
    }


def test_an_empty_file_says_nothing(config: Path) -> None:
    assert read_settings({}, written(config, "# nothing\n")) == Settings(config_path=config)


def test_every_key_is_a_field_and_has_a_value_in_the_full_file(config: Path) -> None:
    assert set(KEYS) == set(Settings.__struct_fields__) - {"log_level", "config_path"}
    settings = read_settings({}, written(config, FULL))
    assert [key for key in KEYS if getattr(settings, key) == getattr(Settings(), key)] == []


GOOD = [
    'speed = "max"',
    "speed = 1",
    "speed = 0.25",
    "latency_ms = 0",
    "latency_ms = 0.5",
    "latency_ms = 60000",
    "seed = 0",
    "seed = 9223372036854775807",
    'feed = "sim"',
    'latency_model = "uniform:20:80"',
    'fill_model = "expected"',
    "fill_band = false",
    '[fees]\ntiers = [{ volume = "0", maker = "1", taker = "0.00000001" }]',
    "symbols = []",
    'strategy = "ema_cross"',
    '[limits]\nmax_order = "0.00000001"',
    "[limits]\ncooldown_s = 0",
    "[parameters]",
    'strategy = "My strategy"',
]


@pytest.mark.parametrize("text", GOOD)
def test_good_values(config: Path, text: str) -> None:
    read_settings({}, written(config, text))


BAD = [
    'feed = "live"',
    "feed = 1",
    'feed = "Replay"',
    "latency_model = 50",
    'latency_model = "~/measured.csv"',
    'latency_model = ""',
    'fill_model = "best"',
    "fill_model = 2",
    'fill_band = "true"',
    "shadow = 1",
    "fees = []",
    "[fees]\ntiers = []",
    '[fees]\ntiers = [{ volume = "0", maker = "0.001" }]',
    '[fees]\ntiers = [{ volume = "0", maker = 0.001, taker = "0.001" }]',
    '[fees]\ntiers = [{ volume = "0", maker = "-0.001", taker = "0.001" }]',
    '[fees]\ntiers = [{ volume = "0", maker = "0.000000001", taker = "0.001" }]',
    '[fees]\ntiers = [{ volume = "0", maker = "1.1", taker = "0.001" }]',
    '[fees]\ntiers = [{ volume = "5", maker = "0.001", taker = "0.001" }]',
    '[fees]\ntiers = [{ volume = "0", maker = "0", taker = "0" }, { volume = "0.0", maker = "0", taker = "0" }]',
    'data = "one.parquet"',
    "data = [1]",
    'data = [""]',
    'data = ["a\\u0000b"]',
    'data = ["~/x"]',
    'data = ["a", "a"]',
    'symbols = "BTCUSDT"',
    'symbols = ["BTC USDT"]',
    'symbols = ["BTCUSDT", "BTCUSDT"]',
    'symbols = [["BTCUSDT"]]',
    'strategy = ""',
    'strategy = "  "',
    "strategy = 3",
    'strategy = "a\\nb"',
    "strategy = ['x']",
    'speed = "fast"',
    "speed = 0",
    "speed = -1",
    "speed = nan",
    "speed = inf",
    "speed = true",
    'speed = "1"',
    "speed = 1e12",
    'balance = "10000USDT"',
    "balance = [10000]",
    'balance = ["USDT"]',
    'balance = ["10000"]',
    'balance = ["-1USDT"]',
    'balance = ["1e5USDT"]',
    'balance = ["1,000USDT"]',
    'balance = ["nanUSDT"]',
    'balance = ["1USDT", "1USDT"]',
    'balance = ["1  USDT"]',
    "home = 1",
    'home = ""',
    'home = "~/desk"',
    "seed = -1",
    "seed = 1.0",
    'seed = "7"',
    "seed = true",
    "seed = 9223372036854775808",
    'reporting = ""',
    "reporting = 1",
    'reporting = "US DT"',
    "latency_ms = -1",
    "latency_ms = nan",
    'latency_ms = "20"',
    "latency_ms = 60001",
    "latency_ms = false",
    "latency_ms = 07:32:00",
    "instruments = []",
    "instruments = {}",
    'conversions = "BTCUSDT"',
    'conversions = [""]',
    "parameters = 1",
    "[[parameters]]",
    "[parameters]\nx = nan",
    "[parameters]\nx = -inf",
    "[parameters]\nx = 2024-01-01",
    "[parameters]\nx = [[1]]",
    "[parameters]\nx = [nan]",
    "[parameters.deep]\nx = 1",
    "limits = 1",
    "limits = []",
    "[limits]\nmax_order = 1000",
    "[limits]\nmax_order = 10.5",
    '[limits]\nmax_order = "0"',
    '[limits]\nmax_order = "0.00"',
    '[limits]\nmax_order = "-1"',
    '[limits]\nmax_order = "1e3"',
    '[limits]\nmax_order = "NaN"',
    '[limits]\nmax_order = "1.123456789"',
    '[limits]\nmax_order = "1000000000000000000"',
    '[limits]\nmax_order = ""',
    '[limits]\nmax_order = "١٢"',
    '[limits]\ncooldown_s = "60"',
    "[limits]\ncooldown_s = -1",
    "[limits]\ncooldown_s = 1.5",
]


@pytest.mark.parametrize("text", BAD)
def test_an_unfit_value_names_key_and_line(config: Path, text: str) -> None:
    message = refusal({}, written(config, f"# story\n\n{text}\n"))
    key = (
        text.partition("\n")[2].partition(" ")[0]
        if text.startswith("[limits]")
        else text.strip("[").split(" ")[0].split("]")[0].split(".")[0]
    )
    line = 4 if text.startswith("[limits]") else 3
    assert f"paperdesk.toml:{line}\n" in message, message
    assert key in message and "must be" in message


@pytest.mark.parametrize(
    ("text", "named", "nearest"),
    [
        ("sede = 7", "sede", "seed"),
        ("seed = 7\nSymbols = []", "Symbols", "symbols"),
        ("[limit]\nmax_order = '1'", "limit", "limits"),
        ("[limits]\nmax_orders = '1'", "limits.max_orders", "max_order"),
        ("limits = { cooldown = 1 }", "limits.cooldown", "cooldown_s"),
        ("limits.max_draw_down = '1'", "limits.max_draw_down", "max_drawdown"),
        ("'latency ms' = 1", "latency ms", "latency_ms"),
        ("[up]\nfeed = 'sim'", "up", None),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(config: Path, text: str, named: str, nearest: str | None) -> None:
    message = refusal({}, written(config, text))
    assert f"{named} is not a key" in message and "paperdesk.toml:" in message
    assert (f"did you mean {nearest}?" in message) if nearest else ("did you mean" not in message)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("seed = 7\nfeed = replay\n", "line 2, column 8"),
        ("seed =", "end of document"),
        ("seed = 1\nseed = 2", "end of document"),
        ("[limits\n", "line 1, column 8"),
        ('strategy = "open', "end of document"),
        ("x" * 100, "end of document"),
    ],
)
def test_malformed_toml_says_where(config: Path, text: str, at: str) -> None:
    message = refusal({}, written(config, text))
    assert "not valid TOML" in message and at in message and str(config) in message


def test_malformed_toml_shows_nothing_of_the_file(config: Path) -> None:
    message = refusal({}, written(config, f"api_key = {EXCHANGE_KEY}\n"))
    assert_hidden(EXCHANGE_KEY, message)


def test_files_that_cannot_be_read(tmp_path: Path, config: Path) -> None:
    assert "No such file" in refusal({}, tmp_path / "missing.toml")
    assert "cannot be read" in refusal({"PAPERDESK_CONFIG": str(tmp_path / "missing.toml")})
    assert "directory" in refusal({}, tmp_path)
    assert "cannot be read" in refusal({}, Path("a\0b"))
    config.write_bytes(b"seed = 1\nstrategy = '\xff'\n")
    message = refusal({}, config)
    assert "not UTF-8" in message and "paperdesk.toml:2\n" in message
    config.write_bytes(b"#" * (1 << 18) + b"\n")
    assert "over 256 KiB" in refusal({}, config)
    assert "nested too deeply" in refusal({}, written(config, "data = " + "[" * 20_000))


def test_a_text_made_to_waste_time_is_answered_at_once(config: Path) -> None:
    for text in ("eyJ" * 80_000, "a." * 100_000, "x" * 200_000, "\n" * 200_000 + "y"):
        refusal({"PAPERDESK_HOME": text})
        refusal({}, written(config, f'strategy = 1\nnote = """{text}"""'))


def test_random_bytes_are_refused_or_read_and_never_crash(config: Path) -> None:
    seed = 99
    dice = random.Random(seed)
    alphabet = [
        "seed",
        "limits",
        "[",
        "]",
        "{",
        "}",
        "=",
        " ",
        "\n",
        '"',
        "'",
        "1",
        ".",
        ",",
        "#",
        "é",
        "\\",
        "-",
        "max_order",
        "parameters",
        "nan",
    ]
    for round_ in range(2_000):
        text = "".join(dice.choice(alphabet) for _ in range(dice.randint(1, 25)))
        try:
            read_settings({}, written(config, text))
        except SettingsRefused as refused:
            assert "what to do: " in str(refused), f"seed {seed}, round {round_}: {text!r}"


def assert_hidden(secret: str, message: str) -> None:
    """No eight neighbouring characters of the secret stand in the message."""
    shown = [
        secret[i : i + 8]
        for i in range(len(secret) - 7)
        if secret[i : i + 8] in message and secret[i : i + 8] not in "-----BEGIN "
    ]
    assert shown == []
