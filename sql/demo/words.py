"""Words for an invented French university library: readers, books, streets. Nobody in it exists."""

from __future__ import annotations

FIRST_NAMES = (
    "Adèle", "Adrien", "Agathe", "Aïcha", "Alexandre", "Alice", "Amélie", "Amine", "Anaïs", "Antoine", "Arthur",
    "Aurélie", "Axel", "Baptiste", "Benoît", "Camille", "Caroline", "Cécile", "Céline", "Charlotte", "Chloé",
    "Clara", "Clément", "Damien", "David", "Éléonore", "Élise", "Élodie", "Emma", "Enzo", "Estelle", "Fanny",
    "Fatima", "Florian", "François", "Gaëlle", "Gaspard", "Guillaume", "Hélène", "Hugo", "Inès", "Ismaël",
    "Jean-Baptiste", "Jeanne", "Joëlle", "Julien", "Karim", "Léa", "Léo", "Loïc", "Louise", "Lucas", "Maëlle",
    "Manon", "Marie-Claude", "Mathilde", "Maxime", "Mehdi", "Noémie", "Océane", "Paul", "Pauline", "Quentin",
    "Raphaël", "Rémi", "Romane", "Salomé", "Samir", "Sarah", "Simon", "Sofia", "Solène", "Théo", "Thomas",
    "Valentin", "Victoire", "Yanis", "Yasmine", "Zoé",
)  # fmt: skip
LAST_NAMES = (
    "Arnaud", "Aubert", "Bailly", "Barbier", "Benali", "Berger", "Besson", "Blanchard", "Bonnet", "Boucher",
    "Bourgeois", "Brunet", "Carpentier", "Caron", "Chevalier", "Clément", "Colin", "Costa", "Da Silva", "Delmas",
    "Deschamps", "Diallo", "Dumont", "Dupuis", "Fabre", "Faure", "Fernandez", "Ferrand", "Fournier", "Garnier",
    "Gauthier", "Gérard", "Giraud", "Guérin", "Guillot", "Haddad", "Henry", "Hernandez", "Jacquet", "Joly",
    "Khelifi", "Lacroix", "Le Bihan", "Leblanc", "Lefèvre", "Lemaître", "Leroux", "L'Hostis", "Mallet", "Marchand",
    "Mercier", "Meunier", "Michel", "Moreau", "N'Guessan", "Nguyen", "Olivier", "Pelletier", "Pereira", "Perrin",
    "Picard", "Poirier", "Prévost", "Renard", "Rivière", "Roche", "Rousseau", "Roux", "Saidi", "Schneider",
    "Simonnet", "Tessier", "Traoré", "Vasseur", "Vidal", "Vincent", "Weber",
)  # fmt: skip
SUBJECTS = (
    "l'algèbre linéaire", "l'anatomie", "l'anthropologie", "l'architecture gothique", "la biochimie",
    "la botanique", "la chimie organique", "la comptabilité", "la cryptographie", "le droit administratif",
    "le droit constitutionnel", "le droit des contrats", "l'écologie", "l'économie du travail", "l'épidémiologie",
    "l'épistémologie", "l'ethnologie", "la génétique", "la géologie", "la grammaire française",
    "l'histoire médiévale", "l'immunologie", "l'informatique", "la linguistique", "la littérature comparée",
    "la mécanique quantique", "la musicologie", "la neurologie", "l'optique", "la paléographie", "la pharmacologie",
    "la philosophie politique", "la phonétique", "la physiologie", "la poésie lyrique", "la psychologie sociale",
    "le roman policier", "la science politique", "la sociologie urbaine", "la statistique", "la thermodynamique",
    "le théâtre classique", "la topologie", "la traduction", "la zoologie",
)  # fmt: skip
TITLE_PATTERNS = (
    "Introduction à {}", "Les mots de {}", "Précis : {}", "Comprendre {}", "{} : cours et exercices corrigés",
    "{} en 50 fiches", "Histoire et méthodes de {}", "Penser {} aujourd'hui", "{} : une anthologie", "Manuel : {}",
    "Vingt leçons sur {}", "{}, licence et master", "Atlas : {}", "Enseigner {}",
    "{} : état des lieux et perspectives",
)  # fmt: skip
STREETS = (
    "rue des Platanes", "avenue de la République", "rue du Vieux Pont", "boulevard des Arceaux",
    "impasse des Lilas", "chemin de la Garrigue", "place du Marché", "rue Basse", "allée des Cèdres",
    "rue de l'Aiguillerie", "rue Neuve", "quai des Tanneurs", "montée du Château", "résidence Les Pins",
    "cité universitaire Voie Domitienne",
)  # fmt: skip
TOWNS = (("34999", "MONTCLAR"), ("34998", "SAINT-AMANS-LE-VIEUX"), ("34997", "LA GARRIGUE"), ("30999", "VAL-D'ORB"))
CALL_NUMBERS = (
    "174",
    "320",
    "342.44",
    "347",
    "409",
    "512.5",
    "530.12",
    "547",
    "610",
    "615.1",
    "792",
    "843.914",
    "909.07",
)
LANGUAGES = (("FRE", 92), ("ENG", 5), ("", 2), ("SPA", 1))
PRICES = ("25,00 EUR", "12,50 EUR", "39.90", "18", "", "", "NC", "64,00 €")
