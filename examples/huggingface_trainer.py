"""Train a transformer that keeps what its predecessor got right: a Trainer with an objective and the old model."""

import torch
from sklearn.datasets import load_digits
from transformers import Trainer, TrainingArguments, ViTConfig, ViTForImageClassification, set_seed

from segue.congruent.losses import FocalDistillation, KLDivergence
from segue.congruent.objective import Mixed
from segue.flips import compare
from segue.integrations.huggingface import CongruentTrainer

digits = load_digits()
pictures = torch.tensor(digits.images[:, None] / 8 - 1, dtype=torch.float32)  # one channel, from -1 to 1
data = [{"pixel_values": one, "labels": int(label)} for one, label in zip(pictures, digits.target, strict=True)]
few, many, held = data[:300], data[:1347], data[1347:]


def transformer(size):
    form = {"image_size": 8, "patch_size": 4, "num_channels": 1, "num_labels": 10, "initializer_range": 0.2}
    more = {"hidden_size": size, "intermediate_size": 2 * size, "num_hidden_layers": 1, "num_attention_heads": 2}
    return ViTForImageClassification(ViTConfig(**form, **more))


arguments = TrainingArguments(
    "out", num_train_epochs=12, per_device_train_batch_size=32, learning_rate=5e-3, save_strategy="no", report_to=[],
    use_cpu=True, disable_tqdm=True,
)  # fmt: skip
set_seed(0)
trainer = Trainer(transformer(16), arguments, train_dataset=few)
trainer.train()
old, old_logits = trainer.model, trainer.predict(held).predictions
objective = Mixed(FocalDistillation(alpha=0, beta=1, distance=KLDivergence(temperature=2)), weight=0.5)
plain = Trainer(transformer(32), arguments, train_dataset=many)
congruent = CongruentTrainer(transformer(32), arguments, train_dataset=many, old=old, objective=objective)
for name, trainer in {"plain": plain, "congruent": congruent}.items():
    trainer.train()
    print(f"{name} training\n{compare(digits.target[1347:], old_logits, trainer.predict(held).predictions)}\n")
