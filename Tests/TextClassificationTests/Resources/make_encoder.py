"""Makes the small encoder that the tests embed with, and what `transformers` makes of some texts with it.

    python make_encoder.py    # with torch and transformers; writes beside itself

encoder/ is a random BERT as `save_pretrained` writes it, with a vocabulary of letters and a few words.
expected_embeddings.json holds texts and their embeddings: the mean of the last hidden states, of length 1.
"""

import json
import string
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).resolve().parent
LETTERS = string.ascii_lowercase
VOCABULARY = (
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "stars", "bread", "how", "the", "are", "born", "##s", ",", ".", "!"]
    + list(LETTERS) + [f"##{letter}" for letter in LETTERS if letter != "s"])
TEXTS = [
    "How stars are born.", "bread", "The STARS, the bread!", "Ünïcödé 漢字 and emoji 🧪", "a\u0000b\tc\r\nd \u200b e",
    "how are stars born " * 10, "x" * 30,
]


def main():
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(5)
    folder = HERE / "encoder"
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    configuration = transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
        max_position_embeddings=24, initializer_range=0.3, attn_implementation="eager")
    model = transformers.BertModel(configuration, add_pooling_layer=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(folder)
    tokenizer = transformers.BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True)
    settings = {"do_lower_case": True, "model_max_length": 24, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")

    expected = []
    for text in TEXTS:
        batch = tokenizer([text], truncation=True, max_length=24, return_tensors="pt")
        with torch.no_grad():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None].float()
        mean = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)[0]
        expected.append({
            "text": text, "tokens": tokenizer.convert_ids_to_tokens(batch["input_ids"][0].tolist()),
            "embedding": mean.tolist()})
    (HERE / "expected_embeddings.json").write_text(
        json.dumps(expected, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
