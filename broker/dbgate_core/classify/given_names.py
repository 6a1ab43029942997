"""Given names that are common in some country, folded to plain lower case."""

from __future__ import annotations

from typing import Final

_TEXT: Final = """
aaron abdul abdullah abigail adam adrian agnes agnieszka ahmed aisha alain alan albert alberto
aleksander alessandra alessandro alex alexander alexandra alexandre alexis alfred ali alice
alicia alina amanda amber amelia amelie amina amir amy ana andre andrea andreas andrei andrew
andrzej angel angela anders angelika angelo ania anita anja anke ann anna anne anneke annette
annika anthony antje anton antonia antonio antoine arjun armin arne arnold arthur arturo ashley
astrid aurelie austin ava axel barbara bart bartosz beata beatrice beatriz ben benedikt benjamin
bernard bernd bernhard bettina bianca birgit bjorn bob bogdan boris brandon brenda brian brigitte
bruno caio camila camille carl carla carlo carlos carmen carol carolin caroline carolina catarina
catherine cecilia cedric celine chantal charles charlotte chloe chris christa christian christiane
christina christine christoph christophe christopher clara claire claude claudia clement
concepcion conrad cornelia cristian cristina cynthia damian damien dan daniel daniela danielle
dariusz david dawid deborah debra delphine denis dennis diana diego dieter dimitri dirk dmitri
dominik dominique donald donna dorota dorothea dorothy douglas duarte edith eduard eduardo edward
edwin elena eleonora eliane elias elisa elisabeth elizabeth elke ella ellen elsa emil emily emilia
emilie emma emmanuel enrico enrique eric erica erik erika ernst esther eszter ethan eugen eugene eva
evelyn ewa fabian fabien fabio fabrice fatima federica federico felipe felix ferdinand fernanda
fernando filip filipe finn fiona florence florian frances francesca francesco francis francisco
franck francois francoise frank franz fred frederic frederick frederik fredrik friedrich fritz
gabriel gabriela gabriele gary gavin georg george georges gerald gerard gerd gerhard gertrud gianluca
giacomo gilles giorgio giovanni giulia giuseppe gloria gonzalo grace graham greg gregor gregory
greta grzegorz guido guillaume gunther gustav guy hannah hanna hanne hannes hans harald harold harry
hassan heather heidi heike heinrich heinz helen helena helene helga helmut hendrik henri henrik
henrique henry herbert hermann hilda holger horst hugo ian ibrahim ida ignacio igor ilse ines inge
ingrid irene iris irina isaac isabel isabella isabelle ivan ivana jack jacek jacob jacqueline jacques
jakob jakub james jan jana jane janet janine janusz jason javier jean jeanne jeff jeffrey jennifer
jens jeremy jeroen jerzy jesper jessica jesus jill jim joachim joan joana joanna joao joaquin joe joel
johan johanna johannes john jon jonas jonathan joost jordan jorg jorge jose josef josefina joseph
joshua joyce juan juana judith julia julian juliana julie julien juliette julio jurgen justin justyna
kaja karen karin karina karl karol karolina kasper katarina katarzyna kate katharina katherine
kathleen kathrin katja kazimierz keith kelly ken kenneth kerstin kevin khalid kim kirsten klara klaus
konrad krystyna krzysztof kurt kyle lars larry laszlo laura laure laurence laurent lea leah lena
lennart leo leon leonardo leonie leopold leszek liam lidia lina linda linnea linus lisa liv lorena
lorenzo louis louisa louise luc luca lucas lucia lucie lucy ludwig luigi luis luisa lukas lukasz luke
lydia maarten maciej madeleine magdalena maja malgorzata manfred manon manuel manuela marc marcel
marcelo marcin marco marcos marcus marek margaret margarita margot maria mariana marianne marie
marija marina mario marion marjan mark marko markus marlene marta martha martin martina martine
mary mateo mateus mateusz mathieu mathilde matteo matthew matthias matthieu maureen maurice
max maximilian maya megan mehmet melanie melissa mercedes michael michal michel michele michelle
miguel mikael mike mikkel milan milena mila mirjam miroslav mohamed mohammad mohammed moritz monica
monika monique mustafa nadia nadine nancy natalia natalie nathalie nathan nicholas nick nicola
nicolas nicole niels niklas nikola nikolai nils nina noah noemi nora norbert norma nuno olaf ole
oleg olga oliver olivia olivier omar oscar oskar otto pablo pamela paola paolo pascal patricia
patrick patrik paul paula paulina pauline paulo pavel pawel pedro peggy per peter petra philip philipp
philippe phillip pia pierre pieter piotr priya quentin rachel rafael raffaele rahul rainer raj ralf ralph
ramon raphael raquel raul raymond rebecca regina reinhard renata renate rene ricardo richard rick
rita robert roberta roberto robin rodrigo roger roland rolf roman ronald rosa rosalie rosario rose
roy ruben rudolf ruth ryan sabine sabrina salma salvatore sam samantha samira samuel sandra sandrine
sanjay santiago sara sarah sascha scott sean sebastian sergei sergio sharon shirley sibylle sigrid
silke silvia simon simona simone slawomir sofia sofie solveig sonia sonja sophia sophie stacy
stanislaw stefan stefania stefanie stella stephan stephane stephanie stephen steve steven sunita
susan susana susanne suzanne sven svenja sylvain sylvia sylvie szymon tamara tania tanja tatiana
teresa terry thea theo theodor theresa therese thiago thierry thomas tiago tim timo timothy tobias
todd tom tomas tomasz toni tony torsten tracy tyler ulrich ulrike ursula ute uwe valentin valentina
valeria valerie vanessa vera veronica veronika veronique victor victoria viktor vincent vincenzo
viola violeta virginia virginie vladimir volker walter wanda wendy werner wilhelm willem william
winfried wojciech wolfgang xavier yann yannick yasmin youssef yuki yusuf yvette yvonne zbigniew
zofia zoe zuzana hiroshi kenji takashi sakura haruto yui wei ming li jing min jun priyanka anjali
vikram deepak amit neha pooja ravi suresh lakshmi fatma zeynep emre elif ayse mary patricia
"""

GIVEN_NAMES: Final = frozenset(_TEXT.split())
